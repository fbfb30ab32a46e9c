"""Nothing leaves this machine, and it would be noticed."""

import socket

import httpx
import requests

import network
from harness import ADDRESS, COMPAT, NOWHERE, Story


class Network(Story):
    def tearDown(self):
        # Here the attempts are the point.
        network.ATTEMPTS.clear()
        super().tearDown()

    def test_both_libraries_of_the_client_are_stopped(self):
        for library in (requests, httpx):
            for address in ("https://app.iconik.io/API/", "http://10.0.0.1/", "http://[::1]:1/", "http://localhost/"):
                with self.subTest(library=library.__name__, address=address):
                    with self.assertRaises(network.OutsideNetwork):
                        library.get(address, timeout=2)
        self.assertIn("app.iconik.io", network.ATTEMPTS)
        self.assertEqual(requests.get(f"{ADDRESS}/_simulator/clock", timeout=5).status_code, 200)

    def test_names_and_datagrams_are_stopped_too(self):
        with self.assertRaises(network.OutsideNetwork):
            socket.getaddrinfo("app.iconik.io", 443)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            with self.assertRaises(network.OutsideNetwork):
                datagrams.sendto(b"?", ("192.0.2.53", 53))
        self.assertEqual(network.ATTEMPTS, ["app.iconik.io", "192.0.2.53"])

    def test_an_attempt_is_remembered_though_the_caller_swallows_the_exception(self):
        try:
            requests.get("https://app.iconik.io/", timeout=2)
        except Exception:
            pass
        self.assertEqual(network.ATTEMPTS, ["app.iconik.io"])

    def test_the_client_itself_calls_the_public_host_when_used_as_its_documentation_says(self):
        # assets() keeps a specification of collections that knows only the default host.
        with self.assertRaises(network.OutsideNetwork):
            COMPAT.assets().collections.get(NOWHERE)
        self.assertEqual(network.ATTEMPTS, ["app.iconik.io"])
        # Made afresh right before its use, it has the address that was given.
        self.assertEqual(COMPAT.collections().get(NOWHERE).response.status_code, 404)
