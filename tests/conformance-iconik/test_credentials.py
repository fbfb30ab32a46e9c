"""Who one is, with which token."""

from pythonik.auth.models import PostOauthTokenBody

from harness import ADMINISTRATOR, APP_ID, COMPAT, OAUTH, SERVICE, Story, shows


class Credentials(Story):
    @shows("B get_users_current", "B get_current_auth_token")
    def test_whose_token_it_is(self):
        for token, user in (ADMINISTRATOR, SERVICE):
            client = self.log_in(token)
            me = self.done(client.get_users_current())
            self.assertEqual((str(me.id), me.status.value), (user, "ACTIVE"))
            self.assertIn(me.type_.value, ("POWER", "STANDARD"))
            self.done(client.get_current_auth_token())

    def test_a_wrong_token_or_application_is_401_to_both(self):
        asset = self.asset()
        for app_id, token in ((APP_ID, "wrong"), ("wrong", ADMINISTRATOR[0])):
            client = self.log_in(token, app_id)
            self.assertEqual(client.get_asset(asset).status_code, 401)
            self.assertEqual(client.get_current_auth_token().status_code, 401)
        COMPAT.session.headers["Auth-Token"] = "wrong"
        answer = self.a.assets.get(asset)
        self.assertEqual((answer.response.status_code, answer.data), (401, None))

    @shows("B get_system_current")
    def test_how_long_the_recycle_bin_keeps(self):
        self.assertEqual(self.done(self.b.get_system_current()).delete_grace_period, 24)

    @shows("B post_oauth_token")
    def test_client_credentials(self):
        client_id, secret = OAUTH

        def ask(secret):
            body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
            return self.b.post_oauth_token(body=PostOauthTokenBody.from_dict(body))

        given = self.done(ask(secret))
        asset = self.asset()
        client = self.log_in(given.token, client_id)
        self.assertEqual(str(self.done(client.get_asset(asset)).id), asset)
        self.assertEqual(str(self.done(client.get_users_current()).id), SERVICE[1])
        self.assertIn(ask("wrong").status_code, (400, 401))
