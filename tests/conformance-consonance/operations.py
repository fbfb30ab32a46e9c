"""What of the vendor's documented interface the simulator has to answer: each has a test, or a reason why there is none."""

# Behaviour that is no field of the schema.
BEHAVIOUR = """
GraphQL introspection
GraphQL errors at 200
GraphQL bearer key
GraphQL our client's documents
REST pages
REST filters
REST token scheme
REST our client's requests
upload by a signed address
events signed by the library
"""

# Not of the documented ones: they are there as switches ask what nobody documents.
LEFT_OUT = {
    "Query.contracts": "a list of contracts is not known to exist; a switch adds it",
    "Mutation.finishUpload": "the mutation after an upload is not documented; a switch adds it",
}

_SEARCHES = ("ProductSearchAttributes", "WorkSearchAttributes", "PriceSearchAttributes", "ContractSearchAttributes",
             "ContactSearchAttributes", "OrganisationSearchAttributes")


def of(schema):
    """Every field of the root types, and every member of the searches, that the schema has."""
    found = [line for line in BEHAVIOUR.splitlines() if line]
    for name in ("Query", "Mutation", *_SEARCHES):
        found += [f"{name}.{field}" for field in sorted(schema.type_map[name].fields)]
    return [operation for operation in found if operation not in LEFT_OUT]
