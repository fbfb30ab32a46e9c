"""What the schema says of itself to the reference implementation, and our client's documents before that schema."""

import json

from graphql import (
    OperationDefinitionNode,
    build_client_schema,
    get_introspection_query,
    is_interface_type,
    parse,
    validate,
    validate_schema,
)
from graphql.execution.values import get_variable_values

from harness import KEY, TOKEN, Story, asked_by, our_calls, shows

KINDS = {
    "PhysicalBookProduct", "PhysicalAudioProduct", "PhysicalProduct", "ElectronicBookProduct", "ElectronicAudioProduct",
    "ElectronicProduct", "GenericProduct",
}


class Schema(Story):
    def read(self, **options):
        answer = self.raw({"query": get_introspection_query(**options), "operationName": "IntrospectionQuery"})
        self.assertEqual(answer.status_code, 200)
        told = answer.json()
        self.assertNotIn("errors", told)
        return build_client_schema(told["data"])

    @shows("GraphQL introspection")
    def test_the_standard_introspection_gives_a_valid_schema_with_every_option_and_without(self):
        everything = {
            "descriptions": True, "specified_by_url": True, "directive_is_repeatable": True,
            "schema_description": True, "input_value_deprecation": True,
        }
        for options in ({}, everything, {"descriptions": False}):
            with self.subTest(options=options):
                schema = self.read(**options)
                self.assertEqual(validate_schema(schema), [])
                self.assertEqual((schema.query_type.name, schema.mutation_type.name), ("Query", "Mutation"))
        product = schema.type_map["Product"]
        self.assertTrue(is_interface_type(product))
        self.assertEqual({kind.name for kind in schema.get_possible_types(product)}, KINDS)
        self.assertEqual(str(schema.type_map["ProductSearchAttributes"].fields["changedSince"].type), "ISO8601Date")
        self.assertEqual(str(schema.type_map["ProductionFile"].fields["fileSize"].type), "BigInt")
        # The form of Relay's older mutations.
        for name, field in schema.mutation_type.fields.items():
            with self.subTest(mutation=name):
                capital = name[0].upper() + name[1:]
                self.assertEqual(str(field.args["input"].type), f"{capital}Input!")
                self.assertEqual(str(field.type), f"{capital}Payload")
                self.assertIn("clientMutationId", field.type.fields)
                self.assertIn("clientMutationId", schema.type_map[f"{capital}Input"].fields)

    def documents(self, follow_up=""):
        """What our client sent, and the schema that it was sent to."""
        sent, said = our_calls(follow_up)
        schema = self.read()
        return schema, sent, said

    @shows("GraphQL our client's documents")
    def test_every_document_that_our_client_sends_is_valid_whatever_the_account_is_like(self):
        for theirs in (
            {},
            {"codes_are_enumerations": False, "countries_are_lists": False, "payload_errors": "attribute"},
            {"production_files": "product", "production_file_downloads": True, "payload_errors": "messages"},
            {"production_files": "nowhere", "payload_errors": "top", "web_link_onix_switch": False, "list_cap": 2},
            {"upload_needs_follow_up": True, "upload_url_field": "uploadUrl", "contracts_list": True},
        ):
            with self.subTest(theirs=theirs):
                self.setUp()
                self.switch(**theirs)
                schema, sent, said = self.documents("finishUpload" if "upload_needs_follow_up" in theirs else "")
                asked = set()
                for method, path, headers, body in sent:
                    if path != "/graphql":
                        continue
                    shown = {name.lower(): value for name, value in headers.items()}
                    self.assertEqual((method, shown["authorization"]), ("POST", f"Bearer {KEY}"))
                    self.assertTrue(shown["content-type"].startswith("application/json"))
                    request = json.loads(body)
                    document = parse(request["query"])
                    self.assertEqual(validate(schema, document), [], request["query"])
                    operation, = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
                    values = get_variable_values(schema, operation.variable_definitions, request.get("variables") or {})
                    # A list has what is wrong with them.
                    self.assertNotIsInstance(values, list, f"{values} {request}")
                    asked |= asked_by(schema, request["query"])
                wanted = {
                    "Query.products", "Query.product", "Query.works", "Query.work", "Query.contract",
                    "Mutation.updateContract", "Mutation.updateProduct", "Mutation.updateWork",
                    "Mutation.createSupportingResource", "Mutation.createProductionFile", "Mutation.createWebLink",
                    "Mutation.deleteWebLink",
                }
                if theirs.get("web_link_onix_switch") is False:
                    wanted -= {"Mutation.createWebLink", "Mutation.deleteWebLink"}
                    self.assertNotIn("Mutation.createWebLink", asked, "nothing keeps the link out of ONIX")
                if "upload_needs_follow_up" in theirs:
                    wanted.add("Mutation.finishUpload")
                self.assertEqual(wanted - asked, set())
                self.assertIn("find_product: The Salt Road", said)
        # A document that is wrong would be noticed.
        self.assertNotEqual(validate(schema, parse("{ products { nothing } }")), [])

    @shows("REST our client's requests")
    def test_every_request_of_our_client_to_rest_carries_the_token_and_encodes_its_filters(self):
        sent, _ = our_calls()
        rest = [(method, path, headers) for method, path, headers, _ in sent if path.startswith("/api/")]
        self.assertEqual({path.split("?")[0] for _, path, _ in rest}, {"/api/v4/products.json"})
        for method, path, headers in rest:
            shown = {name.lower(): value for name, value in headers.items()}
            self.assertEqual((method, shown["authorization"]), ("GET", f"Token token={TOKEN}"))
            self.assertNotRegex(path, r"[\[\]]")
        filters = {part.split("=")[0] for _, path, _ in rest for part in path.split("?")[1].split("&")}
        self.assertEqual(
            filters,
            {"page", "q%5Bid_eq%5D", "q%5Bisbn_eq%5D", "q%5Bpub_date_eq%5D", "q%5Bshops_id_eq%5D"},
        )
