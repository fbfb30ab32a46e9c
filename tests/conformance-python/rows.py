"""What the client calls, row by row: its methods with the requests they were seen to make, and what it does with answers.

A row is shown when a test that names it (`@shows`) has called the method, the simulator has received every request of the row, and
the test held. What stands behind a colon tells rows of one method apart.
"""

import re
from urllib.parse import unquote_plus

API = "/cs/cs/api"

# Group → row → requests, as "METHOD path" or "METHOD path?what its query must hold". `#` stands for a number.
_CALLS = {
    "session": {
        "authenticate: name and password": ["GET /v1/ping", "POST /v1/auth"],
        "authenticate: bearer token": ["GET /v1/auth"],
        "authenticate: directory ticket": ["GET /v1/auth"],
        "authenticate: directory object": ["POST /otdsws/oauth2/token", "GET /v1/auth"],
        "authenticate: wrong password": ["POST /v1/auth"],
        "get_current_user": ["GET /v1/auth"],
        "get_server_info": ["GET /v1/serverinfo"],
        "get_server_version": ["GET /v1/serverinfo"],
    },
    "nodes": {
        "get_node": ["GET /v2/nodes/#?fields=properties"],
        "get_node: with metadata": ["GET /v2/nodes/#?metadata"],
        "get_nodes": ["POST /v2/nodes/list"],
        "get_subnodes": ["GET /v2/nodes/#/nodes?where_type=-2&limit=100&fields=properties"],
        "get_subnodes: filter, hidden, page": ["GET /v2/nodes/#/nodes?where_name=scan&show_hidden=True&page=2"],
        "get_subnodes_iterator": [
            "GET /v2/nodes/#?fields=properties{size}",
            "GET /v2/nodes/#/nodes?limit=25",
            "GET /v2/nodes/#/nodes?limit=25&page=3",
        ],
        "get_node_by_parent_and_name": ["GET /v2/nodes/#/nodes?where_name=plan.txt&limit=100&fields=properties"],
        "get_node_by_volume_and_path": [
            "GET /v2/volumes/141",
            "GET /v2/nodes/#?fields=properties{id,name}",
            "GET /v2/nodes/#/nodes?where_name=Claims&limit=100&fields=properties{id}",
            "GET /v2/nodes/#/nodes?where_name=Incoming&fields=properties",
        ],
        "get_node_by_volume_and_path: creating": ["GET /v2/volumes/141", "POST /v2/nodes"],
        "get_node_from_nickname": ["GET /v2/nicknames/in_box/nodes"],
        "set_node_nickname": ["PUT /v2/nodes/#/nicknames"],
        "create_item": ["POST /v2/nodes"],
        "upload_file_to_parent": ["POST /v2/nodes"],
        "upload_file_to_volume": ["POST /v2/nodes"],
        "add_document_version": ["POST /v2/nodes/#/versions"],
        "get_document_versions": ["GET /v2/nodes/#/versions"],
        "get_latest_document_version": ["GET /v1/nodes/#/versions/latest"],
        "get_document_content": ["GET /v1/nodes/#/versions/latest", "GET /v2/nodes/#/versions/#/content"],
        "download_document": ["GET /v1/nodes/#/content"],
        "download_document: a version": ["GET /v1/nodes/#/versions/#/content"],
        "rename_node": ["PUT /v2/nodes/#"],
        "update_item": ["PUT /v2/nodes/#"],
        "copy_node": ["POST /v2/nodes"],
        "delete_node": ["DELETE /v2/nodes/#"],
        "delete_node: for good": ["DELETE /v2/nodes/#", "POST /v2/volumes/recyclebin/nodes/purge"],
        "purge_document_versions": ["DELETE /v2/nodes/#/versions"],
        "check_node_name": ["POST /v1/validation/nodes/names"],
        "get_unique_names": ["GET /v2/uniquenames?where_names=&where_subtype=144"],
        "get_node_actions": ["POST /v2/nodes/actions"],
        "get_node_audit": ["GET /v2/nodes/#/audit?limit=100&sort=desc_audit_date&expand=audit{user_id,target_user_id}"],
    },
    "categories": {
        "get_node_categories": ["GET /v2/nodes/#/categories?metadata"],
        "assign_category": ["GET /v2/nodes/#/categories", "POST /v2/nodes/#/categories"],
        "assign_category: inheritance on, sub-items": [
            "POST /v2/nodes/#/categories",
            "POST /v2/nodes/#/categories/#/inheritance",
            "POST /v2/nodes/#/categories/apply",
        ],
        "assign_category: inheritance off": ["DELETE /v2/nodes/#/categories/#/inheritance"],
        "set_category_value": ["PUT /v2/nodes/#/categories/#"],
        "get_category_value": ["GET /v2/nodes/#/categories"],
        "assign_classifications": ["GET /v1/nodes/#/classifications", "POST /v1/nodes/#/classifications"],
    },
    "workspaces": {
        "get_workspace_types": ["GET /v2/businessworkspacetypes?expand_templates=True&expand_wksp_info=True"],
        "create_workspace": ["POST /v2/businessworkspaces"],
        "get_workspace_by_type_and_name": [
            "GET /v2/businessworkspaces?expanded_view=True&where_workspace_type_name=Claim&where_name=CLM"
            "&fields=properties&action=properties-"
        ],
        "get_workspace_by_type_and_name: a page": ["GET /v2/businessworkspaces?page=2&limit=2"],
        "get_workspace_by_business_object": ["GET /v2/externalsystems/SAP/botypes/LFA1/boids/#"],
        "get_workspace": ["GET /v2/businessworkspaces/#?fields=properties&fields=categories"],
        "create_workspace_relationship": ["POST /v2/businessworkspaces/#/relateditems"],
        "get_workspace_relationships": [
            "GET /v2/businessworkspaces/#/relateditems?where_rel_types={'child','parent'}&fields=properties&action=properties-"
        ],
        "add_workspace_member": [
            "GET /v2/businessworkspaces/#/roles/#/members",
            "POST /v2/businessworkspaces/#/roles/#/members",
        ],
        "set_workspace_reference": ["PUT /v2/businessworkspaces/#/workspacereferences"],
    },
    "rights and search": {
        "assign_permission: custom": ["POST /v2/nodes/#/permissions/custom"],
        "assign_permission: owner": ["PUT /v2/nodes/#/permissions/owner"],
        "assign_permission: group": ["PUT /v2/nodes/#/permissions/group"],
        "assign_permission: public": ["PUT /v2/nodes/#/permissions/public"],
        "delete_permission": ["DELETE /v2/nodes/#/permissions/custom/#"],
        "search": ["POST /v2/search"],
        "search_iterator": ["POST /v2/search"],
        "run_web_report": ["POST /v1/webreports/changes_since"],
        "get_users": ["GET /v2/members?where_type=0&where_name=claims."],
        "get_user": ["GET /v2/members?where_type=0&where_name=waybill"],
    },
    "workflows": {
        "get_document_workflows": ["GET /v2/docworkflows?doc_id=&parent_id="],
        "create_draft_process": ["POST /v2/draftprocesses"],
        "update_draft_process": ["PUT /v2/draftprocesses/#"],
        "initiate_draft_process": ["PUT /v2/draftprocesses/#"],
        "initiate_workflow": ["POST /v2/draftprocesses/startwf"],
        "get_workflow_status": ["GET /v2/workflows/status/processes/#"],
        "get_workflows_by_kind_and_status": ["GET /v2/workflows/status?kind=Managed&wstatus=ontime"],
        "get_process_task": ["GET /v1/forms/processes/tasks/update?process_id=&subprocess_id=&task_id=1"],
        "update_process_task: a decision": ["PUT /v2/processes/#/subprocesses/#/tasks/#"],
        "update_process_task: sent on": ["PUT /v2/processes/#/subprocesses/#/tasks/#"],
        "update_process_task: form and delegation": ["PUT /v2/processes/#/subprocesses/#/tasks/#"],
        "get_user_mytodo": ["GET /v2/members/moduleassignments/ExpandAssignments/workflow?fields=assignments&limit=20"],
    },
    "records": {
        "assign_rm_classification": ["POST /v1/nodes/#/rmclassifications"],
        "set_node_records_details": ["PUT /v1/nodes/#/rmclassifications"],
        "create_records_management_hold": ["POST /v1/holds"],
        "assign_hold": ["POST /v1/nodes/#/holds"],
        "get_hold_by_name": ["GET /v2/hold?holdname=Flood 2030 litigation"],
        "get_records_management_holds": ["GET /v2/holds"],
        "get_records_management_rsis": ["GET /v2/rsis?limit=100"],
        "create_records_management_rsi": ["POST /v2/rsischedules"],
    },
    "its own faults": {
        "get_node_audit_iterator: breaks on the shape of the audit": ["GET /v2/nodes/#/audit"],
        "assign_classifications: breaks when told to remove": [],
        "add_document_version: breaks on bytes without a type": [],
        "get_node_from_nickname: encodes nothing, finds what is not asked": ["GET /v2/nicknames/in_box/nodes"],
        "get_workspace_by_business_object: the same": ["GET /v2/externalsystems/SAP/botypes/LFA1/boids/#"],
    },
}

# What the client does with an answer.
_ANSWERS = """
    headers of calls, downloads and uploads
    200 with JSON: the dictionary
    200 or 204 without a body: asked again
    200 or 204 without a body: None after five calls
    200 without a body to POST and DELETE: the same
    JSON null: the same as no body
    200 with HTML: taken for a lost connection
    401: logged in anew and asked again
    401 again and again: None after five log-ins
    500, the name is taken: None, or the error if wanted
    502, 503, 504: asked again
    502, 503, 504 again and again: None after five calls
    an error with HTML: asked again
    429, 400, 403, 404, another 500: None at once
    a lost connection: asked again after a ping
    a download that breaks off: noticed
    an upload asked for again after 401: filed empty, reported as done
    an upload asked for again after 503: the same
    get_result_value: dictionary, list, workspace, error
"""


def _request(line):
    method, _, rest = line.partition(" ")
    path, _, query = rest.partition("?")
    pattern = re.escape(path).replace(r"\#", r"\d+").replace("#", r"\d+")
    return line, method, re.compile(("" if path.startswith("/otdsws") else API) + pattern), query.split("&")


# Row → its group and what has to be in the journal.
ROWS = {name: ("answers", []) for name in map(str.strip, _ANSWERS.strip().splitlines())}
ROWS.update(
    (name, (group, [_request(line) for line in requests])) for group, rows in _CALLS.items() for name, requests in rows.items()
)


def method_of(row):
    """The method of the client that shows a row; none for what it does with answers."""
    return None if ROWS[row][0] == "answers" else row.split(":")[0]


def unsent(row, journal):
    """The requests of a row that the simulator did not receive."""
    missing = []
    for line, method, path, wanted in ROWS[row][1]:
        hits = (e for e in journal if e["method"] == method and path.fullmatch(e["path"]))
        if not any(all(part in unquote_plus(entry["query"]) for part in wanted) for entry in hits):
            missing.append(line)
    return missing
