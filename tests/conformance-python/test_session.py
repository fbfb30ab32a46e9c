"""Logging in, and who one is afterwards."""

import requests
from pyxecm import OTDS

from harness import PASSWORD, PORT, Story, shows


class Session(Story):
    @shows("authenticate: name and password", "get_current_user")
    def test_password(self):
        user = self.client.get_current_user()
        self.assertEqual(user["data"]["id"], 1000)
        self.assertEqual([e["path"] for e in self.journal()][:2], ["/cs/cs/api/v1/ping", "/cs/cs/api/v1/auth"])

    @shows("authenticate: wrong password")
    def test_a_wrong_password_is_refused_once(self):
        client = self.client_of(username="admin", password="wrong")
        self.assertIsNone(client.authenticate())
        refused = [e for e in self.journal() if e["status"] == 401]
        self.assertEqual(len(refused), 1)

    @shows("authenticate: bearer token")
    def test_bearer_token_is_exchanged(self):
        token = requests.post(
            f"http://127.0.0.1:{PORT}/otdsws/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": "waybill-client",
                "client_secret": "demo-client-secret",
            },
            timeout=5,
        ).json()["access_token"]
        client = self.client_of(otds_token=token)
        self.assertTrue(client.authenticate())
        self.assertEqual(client.get_current_user()["data"]["name"], "waybill")

    @shows("authenticate: directory ticket")
    def test_directory_ticket_is_exchanged(self):
        ticket = requests.post(
            f"http://127.0.0.1:{PORT}/otdsws/rest/authentication/credentials",
            json={"userName": "claims.reviewer", "password": PASSWORD},
            timeout=5,
        ).json()["ticket"]
        client = self.client_of(otds_ticket=ticket)
        self.assertTrue(client.authenticate())
        self.assertEqual(client.get_current_user()["data"]["name"], "claims.reviewer")

    @shows("authenticate: directory object")
    def test_directory_object(self):
        directory = OTDS(
            protocol="http", hostname="127.0.0.1", port=PORT, client_id="waybill-client", client_secret="demo-client-secret"
        )
        client = self.client_of(otds_object=directory)
        self.assertTrue(client.authenticate())
        self.assertEqual(client.get_current_user()["data"]["name"], "waybill")

    @shows("get_server_info", "get_server_version")
    def test_server(self):
        self.assertEqual(self.client.get_server_info()["server"]["version"], "25.4")
        self.assertEqual(float(self.client.get_server_version()), 25.4)
