"""The client gql reads, searches, pages, writes, and is told what goes wrong."""

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.requests import RequestsHTTPTransport

from harness import ENDPOINT, KEY, TOKEN, Story, shows

ALL = [2001, 2002, 2003, 2004, 2005]


def ids(records):
    return sorted(record["id"] for record in records)


class Reading(Story):
    def products(self, search, **options):
        return ids(self.execute(f"{{ products({search}) {{ id }} }}", **options)["products"])

    def works(self, search):
        return ids(self.execute(f"{{ works({search}) {{ id }} }}")["works"])

    @shows("Query.product", "ProductSearchAttributes.idEq")
    def test_a_product_with_all_that_readers_ask_for(self):
        product = self.execute("""{ product(productSearch: {idEq: 2001}) {
            __typename id fullTitle subtitle isbn { isbn13 isbnWithDashes } onix21ProductForm { code description }
            onixPublishingStatusCode onixPublishingStatus { code value } publicationDate inHouseFormat { name }
            forSaleCountryCodes notForSaleCountryCodes isForSaleWorldwide salesRightsDescription
            prices(priceSearch: {currencyCodeIn: ["GBP"]}) { amount currencyCode onixPriceTypeCode }
            ... on PhysicalBookProduct { productHeight(unit: CM) }
            work { id title imprint { id name } projectStage
                marketingTexts(variantIn: [SHORT_DESCRIPTION]) { externalText }
                contributions { sequenceNumber productIds onixContributorRoleCode
                    contributor { __typename id name ... on Person { personNameInverted } } } } } }""")["product"]
        self.assertEqual((product["__typename"], product["fullTitle"]), ("PhysicalBookProduct", "The Salt Road"))
        self.assertEqual(product["isbn"], {"isbn13": "9780000000002", "isbnWithDashes": "978-0-00-000000-2"})
        self.assertEqual(product["onixPublishingStatusCode"], "_04")
        self.assertEqual(product["onixPublishingStatus"], {"code": "04", "value": "_04"})
        self.assertEqual(product["prices"], [{"amount": 14.99, "currencyCode": "GBP", "onixPriceTypeCode": "_02"}])
        self.assertAlmostEqual(product["productHeight"], 21.6)
        self.assertEqual(product["work"]["imprint"], {"id": 51, "name": "Harbour Coastal"})
        people = {one["contributor"]["name"] for one in product["work"]["contributions"]}
        self.assertEqual(people, {"First Author", "Second Author", "An Editor"})
        nothing = self.execute("{ product(productSearch: {idEq: 1}) { id } }")
        self.assertIsNone(nothing["product"])

    @shows(
        "Query.products", *(f"ProductSearchAttributes.{name}" for name in (
            "after", "idEq", "isbn13Eq", "isbn13In", "isbn13Assigned", "titleEq", "titleCont", "publicationDateEq",
            "publicationDateGt", "publicationDateLt", "publicationDateGteq", "publicationDateLteq",
            "onix21ProductFormCodeIn", "changedSince", "productTypes")),
    )
    def test_each_search_of_products_gives_what_it_names(self):
        client = self.client()
        for search, expected in (
            ("", ALL),
            ("after: 2002", [2003, 2004, 2005]),
            ("idEq: 2003", [2003]),
            ('isbn13Eq: "9780000000019"', [2002]),
            ('isbn13In: ["9780000000002", "9780000000027"]', [2001, 2004]),
            ("isbn13Assigned: false", [2003, 2005]),
            ('titleEq: "Tide Tables"', [2003]),
            ('titleCont: "salt"', [2001, 2002]),
            ('publicationDateEq: "2031-04-01"', [2001, 2002]),
            ('publicationDateGt: "2031-04-01"', [2004]),
            ('publicationDateLt: "2031-10-12"', [2001, 2002]),
            ('publicationDateGteq: "2031-10-12"', [2004]),
            ('publicationDateLteq: "2031-04-01"', [2001, 2002]),
            ("onix21ProductFormCodeIn: [DG, DH]", [2002, 2003]),
            ('changedSince: "2031-05-05"', [2004, 2005]),
            ("productTypes: [PhysicalBookProduct]", [2001, 2004]),
            ("productTypes: []", ALL),
            ('titleCont: "salt", isbn13Assigned: true, after: 2001', [2002]),
        ):
            with self.subTest(search=search):
                self.assertEqual(self.products(f"productSearch: {{{search}}}", client=client), expected)

    @shows(*(f"PriceSearchAttributes.{name}" for name in (
        "amountLteq", "currencyCodeIn", "onixPriceTypeCodeIn", "onixPriceTypeQualifierCodeIn")))
    def test_each_search_of_prices_gives_what_it_names(self):
        for search, expected in (
            ("amountLteq: 15", ["GBP"]),
            ('currencyCodeIn: ["EUR"]', ["EUR"]),
            ("onixPriceTypeCodeIn: [_02]", ["GBP", "EUR"]),
            ("onixPriceTypeCodeIn: [_01]", []),
            ("onixPriceTypeQualifierCodeIn: [_05]", ["GBP", "EUR"]),
            ("onixPriceTypeQualifierCodeIn: [_06, _10]", []),
        ):
            with self.subTest(search=search):
                text = f"{{ products(priceSearch: {{{search}}}) {{ prices(priceSearch: {{{search}}}) {{ currencyCode }} }} }}"
                found = self.execute(text)["products"]
                self.assertEqual(len(found), 5 if expected else 0)
                for product in found:
                    self.assertEqual([price["currencyCode"] for price in product["prices"]], expected)

    @shows(
        "Query.works", *(f"WorkSearchAttributes.{name}" for name in (
            "after", "idEq", "contractIdEq", "changedSince", "titleEq", "titleCont", "subtitleEq", "subtitleCont",
            "subtitlePresent", "imprintIdIn")),
    )
    def test_each_search_of_works_gives_what_it_names(self):
        for search, expected in (
            ("after: 1002", [1003, 1004]),
            ("idEq: 1002", [1002]),
            ("contractIdEq: 32", [1002]),
            ('changedSince: "2031-05-05"', [1003]),
            ('titleEq: "Tide Tables"', [1002]),
            ('titleCont: "THE"', [1001, 1003]),
            ('subtitleEq: "A history of the coast"', [1001]),
            ('subtitleCont: "Coast"', [1001]),
            ("subtitlePresent: true", [1001]),
            ("subtitlePresent: false", [1002, 1003, 1004]),
            ("imprintIdIn: [52]", [1002]),
        ):
            with self.subTest(search=search):
                self.assertEqual(self.works(f"workSearch: {{{search}}}"), expected)
        self.assertEqual(self.works('productSearch: {isbn13Eq: "9780000000019"}'), [1001])
        self.assertEqual(self.products("workSearch: {idEq: 1003}"), [2004, 2005])

    @shows("Query.work", "Query.contract", "ContractSearchAttributes.idEq", "Query.client")
    def test_a_work_its_files_its_contract_and_the_account(self):
        answer = self.execute("""{
            work(workSearch: {idEq: 1001}) { title products { id } webLinks { link includeInOnix onixWebsiteRoleCode }
                supportingResources { url isProcessing productIds } productionFiles { fileSize fileVariant exists }
                subjectCodes(schemesIn: [THEMA], mainOnly: true) { code main } }
            contract(contractSearch: {idEq: 31}) { contractName term signedDate work { id }
                licensedRights { rightType authorCut } deliveryDates { dateDue percentageOfTotal } }
            client { name worksCount productsCount } }""")
        work, contract = answer["work"], answer["contract"]
        self.assertEqual(ids(work["products"]), [2001, 2002])
        self.assertEqual(work["productionFiles"][0]["fileSize"], "21474836480", "beyond 32 bits it is a text")
        self.assertIn("//_jpg", work["supportingResources"][0]["url"], "two slashes in a row are part of the key")
        self.assertEqual(work["webLinks"][0]["onixWebsiteRoleCode"], "_02")
        self.assertEqual(work["subjectCodes"], [{"code": "NHTB", "main": True}])
        self.assertEqual((contract["term"], contract["work"]["id"]), ("60", 1001))
        self.assertEqual(contract["licensedRights"], [{"rightType": "Translation", "authorCut": 75.0}])
        self.assertEqual(answer["client"], {"name": "Harbour Press", "worksCount": 4, "productsCount": 5})

    @shows("Query.contacts", "ContactSearchAttributes.personNameCont", "Query.person", "Query.organisation",
           "OrganisationSearchAttributes.nameEq")
    def test_people_and_organisations(self):
        answer = self.execute("""{
            contacts(contactSearch: {personNameCont: "author"}) { id name }
            person(id: 403) { personName }
            nobody: person(id: 404) { personName }
            organisation(organisationSearch: {nameEq: "Harbour Institute"}) { id organisationName } }""")
        self.assertEqual(ids(answer["contacts"]), [401, 402])
        self.assertEqual((answer["person"], answer["nobody"]), ({"personName": "An Editor"}, None))
        self.assertEqual(answer["organisation"]["id"], 404)

    def test_a_list_is_read_to_its_end_by_the_greatest_id_whatever_the_pages_are(self):
        text = "query List($search: ProductSearchAttributes!) { products(productSearch: $search) { id } }"
        client = self.client()
        for cap, calls in ((None, 2), (2, 4), (1, 6)):
            for since, expected in ((None, ALL), ("2031-05-01", [2003, 2004, 2005])):
                with self.subTest(cap=cap, since=since):
                    self.switch(list_cap=cap)
                    found, after, asked = [], 0, 0
                    while True:
                        search = {"after": after, **({"changedSince": since} if since else {})}
                        page = self.execute(text, {"search": search}, client)["products"]
                        asked += 1
                        if not page:
                            break
                        found += page
                        after = max(record["id"] for record in page)
                    self.assertEqual([record["id"] for record in found], expected)
                    if since is None:
                        self.assertEqual(asked, calls)


class Writing(Story):
    @shows("Mutation.createWebLink", "Mutation.deleteWebLink")
    def test_a_link_is_made_kept_out_of_onix_and_removed(self):
        made = self.execute("""mutation { createWebLink(input: {workId: 1002, link: "https://ecm.example.com/nodes/42",
            description: "Contract file", includeInOnix: false, onixWebsiteRoleCode: _00, clientMutationId: "m1"}) {
            clientMutationId webLink { id link includeInOnix } errors { field message } } }""")["createWebLink"]
        self.assertEqual((made["clientMutationId"], made["errors"], made["webLink"]["includeInOnix"]), ("m1", [], False))
        identifier = made["webLink"]["id"]
        self.assertEqual(self.state()["web_links"][str(identifier)]["workId"], 1002)
        text = f"mutation {{ deleteWebLink(input: {{id: {identifier}}}) {{ webLink {{ id }} }} }}"
        self.assertEqual(self.execute(text)["deleteWebLink"]["webLink"]["id"], identifier)
        self.assertNotIn(str(identifier), self.state()["web_links"])

    @shows("Mutation.updateContract", "Mutation.createLicensedRight")
    def test_a_contract_is_described_and_a_right_licensed(self):
        changed = self.execute("""mutation { updateContract(input: {id: 33, description: "Filed", signedDate: "2031-05-01"}) {
            contract { description signedDate term } errors { field } } }""")["updateContract"]
        self.assertEqual(changed["contract"], {"description": "Filed", "signedDate": "2031-05-01", "term": None})
        made = self.execute("""mutation { createLicensedRight(input: {contractId: 33, rightType: "Audio", authorCut: 60}) {
            licensedRight { rightType authorCut } } }""")["createLicensedRight"]
        self.assertEqual(made["licensedRight"], {"rightType": "Audio", "authorCut": 60.0})
        self.assertEqual(len(self.state()["contracts"]["33"]["licensedRights"]), 2)

    @shows("Mutation.updateProduct", "Mutation.updateWork")
    def test_a_product_and_a_work_are_changed_and_told_as_changed(self):
        self.execute("""mutation { updateProduct(input: {id: 2002, subtitle: "Digital", onixPublishingStatusCode: _07}) {
            product { subtitle } } }""")
        found = self.execute("{ product(productSearch: {idEq: 2002}) { subtitle onixPublishingStatus { code } } }")["product"]
        self.assertEqual(found, {"subtitle": "Digital", "onixPublishingStatus": {"code": "07"}})
        changed = self.execute("mutation { updateWork(input: {id: 1004, projectStageId: 2}) { work { projectStage } } }")
        self.assertEqual(changed["updateWork"]["work"]["projectStage"], "Contracted")

    def test_what_is_wrong_with_an_input_is_told_in_each_way_the_vendor_shows(self):
        wrong = "mutation {{ createWebLink(input: {{workId: 1002, link: \"nodes/42\", onixWebsiteRoleCode: _00}}) {{ {} }} }}"
        for way, asked, expected in (
            ("field", "errors { field message }", [{"field": "link", "message": "is not a valid URL"}]),
            ("attribute", "errors { attribute message }", [{"attribute": "link", "message": "is not a valid URL"}]),
            ("messages", "errors { field messages }", [{"field": "link", "messages": ["is not a valid URL"]}]),
        ):
            with self.subTest(way=way):
                self.switch(payload_errors=way)
                told = self.execute(wrong.format(f"webLink {{ id }} {asked}"))["createWebLink"]
                self.assertEqual((told["webLink"], told["errors"]), (None, expected))
        self.switch(payload_errors="top")
        with self.assertRaises(TransportQueryError) as caught:
            self.execute(wrong.format("webLink { id }"))
        self.assertEqual(caught.exception.errors[0]["path"], ["createWebLink"])
        self.assertEqual(caught.exception.data, {"createWebLink": None})


class Failing(Story):
    def unguarded(self, key=KEY, scheme="Bearer"):
        """A client that reads no schema, and so sends whatever it is given."""
        transport = RequestsHTTPTransport(ENDPOINT, headers={"Authorization": f"{scheme} {key}"}, timeout=30)
        return Client(transport=transport)

    @shows("GraphQL errors at 200")
    def test_what_cannot_be_run_is_told_at_200_without_data(self):
        for text, locations in (
            ("{ products { nothing } }", [{"line": 1, "column": 14}]),
            ("{ works(workSearch: {idEq: \"x\"}) { id } }", None),
            ("query Q($search: ProductSearchAttributes!) { products(productSearch: $search) { id } }", None),
            ("{ products", None),
        ):
            with self.subTest(text=text):
                answer = self.raw({"query": text})
                told = answer.json()
                self.assertEqual((answer.status_code, "data" in told), (200, False), told)
                self.assertTrue(told["errors"][0]["message"])
                self.assertEqual(set(told["errors"][0]["locations"][0]), {"line", "column"})
                if locations:
                    self.assertEqual(told["errors"][0]["locations"], locations)
                with self.assertRaises(TransportQueryError) as caught:
                    # gql itself refuses what it cannot read.
                    if text == "{ products":
                        raise TransportQueryError("", errors=told["errors"])
                    self.unguarded().execute(gql(text))
                self.assertEqual(caught.exception.errors[0]["message"], told["errors"][0]["message"])

    def test_what_fails_while_it_runs_is_told_at_200_with_its_path_and_the_rest_is_answered(self):
        text = """mutation { missing: deleteWebLink(input: {id: 1}) { webLink { id } }
            updateContract(input: {id: 33, description: "Filed"}) { contract { description } } }"""
        with self.assertRaises(TransportQueryError) as caught:
            self.execute(text)
        self.assertEqual(caught.exception.errors[0]["path"], ["missing"])
        self.assertEqual(caught.exception.errors[0]["message"], "WebLink not found")
        self.assertEqual(caught.exception.data["missing"], None)
        self.assertEqual(caught.exception.data["updateContract"], {"contract": {"description": "Filed"}})

    @shows("GraphQL bearer key")
    def test_only_the_key_of_this_interface_in_its_own_scheme_opens_it(self):
        text = gql("{ client { name } }")
        self.assertEqual(self.unguarded().execute(text), {"client": {"name": "Harbour Press"}})
        for refusal in ("json", "text"):
            self.switch(graphql_refusal=refusal)
            for key, scheme in ((TOKEN, "Bearer"), (KEY, "Token"), (f"token={KEY}", "Token"), ("", "Bearer")):
                with self.subTest(refusal=refusal, key=key, scheme=scheme):
                    with self.assertRaises((TransportServerError, TransportQueryError)) as caught:
                        self.unguarded(key, scheme).execute(text)
                    if isinstance(caught.exception, TransportServerError):
                        self.assertEqual(caught.exception.code, 401)
        answer = self.raw({"query": "{ client { name } }"}, {"Authorization": f"Bearer {TOKEN}"})
        self.assertEqual((answer.status_code, answer.text), (401, "Unauthorized"))

    def test_a_page_of_a_gateway_is_no_answer(self):
        self.fault(action={"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"})
        with self.assertRaises(TransportServerError) as caught:
            self.unguarded().execute(gql("{ client { name } }"))
        self.assertEqual(caught.exception.code, 502)

    def test_what_is_no_request_is_refused_and_breaks_nothing(self):
        for data in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"query": 7}', b'{"variables": {}}'):
            with self.subTest(data=data):
                answer = self.raw(None, {"Content-Type": "application/json"}, data=data)
                self.assertIn(answer.status_code, (200, 400))
                self.assertTrue(answer.json()["errors"])
        deep = "{ client " + "{ client " * 5000
        self.assertTrue(self.raw({"query": deep}).json()["errors"])
        self.assertEqual(self.raw({"query": "{ client { name } }"}).json()["data"]["client"]["name"], "Harbour Press")
