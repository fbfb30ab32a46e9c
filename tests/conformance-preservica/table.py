"""Runs the tests and prints what each operation of the client came to: those that are demanded, and what else was shown."""

import sys
import unittest
from pathlib import Path

# What has to be shown: every method whose calls are known one by one. One that no test shows fails the run.
DEMANDED = {
    "EntityAPI": (
        "folder asset content_object create_folder save move move_async security_tag_sync security_tag_async children "
        "descendants all_descendants identifier entity_identifiers identifiers_for_entity add_identifier update_identifiers "
        "delete_identifiers metadata add_metadata update_metadata delete_metadata add_group_metadata representations "
        "content_objects generations bitstream bitstream_content bitstream_bytes bitstream_location integrity_checks "
        "replace_generation_async add_access_representation add_thumbnail remove_thumbnail download thumbnail relationships "
        "add_relation delete_relationships entity_events all_events all_ingest_events entity_from_event updated_entities "
        "export_opex get_async_progress delete_asset delete_folder user_security_tags"
    ),
    "RetentionAPI": (
        "policies policy create_policy update_policy assignable_policy add_assignments assignments remove_assignments find"
    ),
    "LegalHoldAPI": (
        "legal_holds legal_hold create_hold update_legal_hold delete_legal_hold assign_legal_hold asset_holds "
        "remove_legal_hold_assignment find"
    ),
    "uploadAPI": "simple_asset_package complex_asset_package generic_asset_package multi_asset_package",
    "UploadAPI": (
        "upload_zip_package upload_zip_package_to_S3 upload_zip_package_to_Azure upload_locations upload_credentials"
    ),
    "WebHooksAPI": "subscribe subscriptions unsubscribe",
    "FlaskWebhookHandler": "is_challenge verify_challenge process_request",
    "LambdaURLHandler": "is_challenge verify_challenge process_event",
    "WebHookHandler": "do_POST",
    "ContentAPI": "simple_search_list search_index_filter_list search_fields object_details indexed_fields",
    "MonitorAPI": "monitors messages",
    "WorkflowAPI": (
        "get_workflow_contexts get_workflow_contexts_by_type start_workflow_instance workflow_instance workflow_instances"
    ),
}


class Outcomes(unittest.TextTestResult):
    """Remembers which tests held and which did not."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.broken, self.ran = set(), []

    def startTest(self, test):
        super().startTest(test)
        self.ran.append(test)

    def addError(self, test, error):
        super().addError(test, error)
        self.broken.add(test.id())

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.broken.add(test.id())


def demanded():
    """The names of `DEMANDED`. One that the client does not have would never be shown: it is a mistake in the list."""
    import pyPreservica

    found = set()
    for owner, names in DEMANDED.items():
        holder = getattr(pyPreservica, owner)
        for name in names.split():
            assert callable(getattr(holder, name)), f"{owner}.{name}"
            found.add(f"{owner}.{name}")
    return found


def main(arguments):
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(arguments) if arguments else loader.discover(str(Path(__file__).parent))
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=1).run(tests)
    found = {}
    for test in result.ran:
        for operation in getattr(getattr(test, getattr(test, "_testMethodName", ""), None), "shows", ()):
            found[operation] = found.get(operation, True) and test.id() not in result.broken
    print()
    for operation in sorted(found):
        print(f"{operation:45} {'conforms' if found[operation] else 'FAILS'}")
    wanted = set() if arguments else demanded()
    missing = wanted - set(found)
    for operation in sorted(missing):
        print(f"{operation:45} NOT SHOWN")
    if wanted:
        print(f"\n{sum(found.get(operation, False) for operation in wanted)} of {len(wanted)} operations that are demanded conform")
    print(f"{sum(found.values())} of {len(found)} that were shown; {len(result.ran)} tests, {len(result.broken)} broken")
    return 0 if result.wasSuccessful() and not missing else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
