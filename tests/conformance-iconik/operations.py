"""What the client can do that Waybill's side of iconik has to answer.

Of A, every public method there is: whoever adds one in a later release of the client makes this run fail. Of B, the
operations that the flows need; its other methods (about a thousand in all) concern users, transcoders, billing and the like.
"""

import inspect

from pythonik.specs.assets import AssetSpec
from pythonik.specs.base import Spec
from pythonik.specs.collection import CollectionSpec
from pythonik.specs.files import FilesSpec
from pythonik.specs.jobs import JobSpec
from pythonik.specs.metadata import MetadataSpec
from pythonik.specs.search import SearchSpec

# Operations of A without a test, and why.
LEFT_OUT = {
    "A files.create_storage_file": "makes a file that belongs to no asset; no flow does",
    "A files.update_asset_file_set": "the client loses the id on the way: PUT goes to the list, which takes none",
    "A files.partial_update_asset_file_set": "the same with PATCH",
    "A files.create_asset_filesets": "deprecated name of create_asset_file_sets",
    "A files.get_deleted_filesets": "other name of get_deleted_file_sets",
    "A metadata.put_object_view_metadata": "what put_segment_metadata calls",
    "A metadata.put_segment_view_metadata": "other name of put_segment_metadata",
    "A metadata.create_metadata_field": "deprecated name of create_field",
    "A metadata.update_metadata_field": "deprecated name of update_field",
    "A metadata.delete_metadata_field": "deprecated name of delete_field",
}

_SPECIFICATIONS = {
    "assets": AssetSpec,
    "collections": CollectionSpec,
    "files": FilesSpec,
    "metadata": MetadataSpec,
    "jobs": JobSpec,
    "search": SearchSpec,
}

_GENERATED = """
    get_asset get_assets post_assets put_asset patch_asset delete_asset put_asset_restore delete_asset_purge
    get_asset_relations post_asset_relations get_asset_history post_asset_history
    get_asset_segments post_asset_segments get_asset_segment put_asset_segment patch_asset_segment delete_asset_segment
    post_asset_segments_bulk delete_asset_segments_bulk get_asset_segments_srt get_asset_segments_vtt
    post_asset_versions delete_asset_version
    get_object_approvals_request post_object_approvals_request put_object_approvals_request
    patch_object_approvals_request delete_object_approvals_request get_object_approvals put_object_approvals
    get_object_version_approvals post_approvals_bulk
    get_collection get_collections post_collections patch_collection delete_collection
    get_collection_contents post_collection_contents delete_collection_contents_object get_collection_content_info
    get_delete_queue_assets post_delete_queue_assets delete_delete_queue_assets post_delete_queue_assets_purge
    post_delete_queue_bulk
    post_object_shares get_object_share post_object_shares_url
    get_custom_actions post_custom_actions_by_context get_custom_actions_by_context_by_action
    patch_custom_actions_by_context_by_action delete_custom_actions_by_context_by_action
    get_object_metadata put_object_metadata get_object_metadata_direct put_object_metadata_direct
    put_object_metadata_bulk post_object_view_metadata get_asset_version_view_metadata
    get_views_metadata get_view_metadata post_views_metadata get_fields_metadata get_fields_metadata_by_field_name
    post_fields_metadata
    get_jobs get_job post_jobs put_job patch_job patch_job_steps put_jobs_state delete_job
    post_search
    get_webhooks get_webhook post_webhooks put_webhook delete_webhook
    get_asset_formats get_asset_format post_asset_formats get_asset_file_sets post_asset_file_sets
    get_asset_file_set_files get_asset_files get_asset_file get_asset_version_files get_asset_file_download_url
    post_asset_files patch_asset_file post_asset_file_keyframes get_files_checksum_by_checksum
    get_asset_file_multipart_url get_asset_file_multipart_url_part post_asset_file_multipart_cleanup
    get_storages get_storage get_storages_matching_by_purpose
    get_automations get_automation post_automations patch_automation delete_automation
    post_oauth_token get_current_auth_token get_users_current get_system_current
"""


def _of_a():
    for name, specification in _SPECIFICATIONS.items():
        for method, _ in inspect.getmembers(specification, inspect.isfunction):
            if not method.startswith("_") and not hasattr(Spec, method):
                yield f"A {name}.{method}"


OPERATIONS = [operation for operation in sorted(_of_a()) if operation not in LEFT_OUT]
OPERATIONS += [f"B {name}" for name in _GENERATED.split()]
