"""Phase 1 as a person deploys and uses it, by the README's commands, on the emulator with IAM enforced."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.templates_parts import table
from scripts.templates_yaml import load
from tests.emulator.deploying import publish_layer
from tests.emulator.leaks import logs, metrics
from tests.emulator.waiting import wait_for
from tests.phase1.conftest import ASKED, CT
from tests.phase1.deployed import (
    FOLDER,
    REGION,
    Deployed,
    EmulatorWithImaging,
    Surroundings,
    blocks,
    outputs_of,
    run,
)
from tests.phase1.healthimaging_server import HealthImagingServer

pytestmark = pytest.mark.integration

PRINTED = {
    "study_id",
    "patient_id",
    "upload_timestamp",
    "study_description",
    "s3_bucket",
    "s3_key",
    "datastore_id",
    "import_job_id",
    "image_set_id",
    "status",
    "import_status",
    "processing_stage",
}
PLANTED = {"patient_id": "PATIENTX77", "study_description": "ZEBRAFISH", "file_key": "uploads/Doe_Jane.dcm"}


@pytest.fixture(scope="module")
def emulated() -> Iterator[tuple[EmulatorWithImaging, HealthImagingServer, Surroundings]]:
    surroundings = Surroundings()
    with (
        HealthImagingServer(
            surroundings.s3_of_role, emit=surroundings.emit, allows=surroundings.allows
        ) as imaging,
        EmulatorWithImaging(imaging.url) as emulator,
    ):
        surroundings.account, surroundings.datastore_id = emulator.account, imaging.datastore_id
        layer = publish_layer(emulator.account)
        emulator.account.client("ssm").put_parameter(
            Name="/medical-imaging-pipeline/layer-arn", Value=layer, Type="String"
        )
        yield emulator, imaging, surroundings
        assert imaging.faults == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of phase1_ingestion/, in which the commands leave their zips, with a scan."""
    made = tmp_path_factory.mktemp("phase1") / "phase1_ingestion"
    shutil.copytree(FOLDER, made)
    shutil.copyfile(CT, made / "brain_scan.dcm")
    return made


def create(
    emulated: tuple[EmulatorWithImaging, HealthImagingServer, Surroundings],
    folder: Path,
    project: str = "stroke-detection-ai",
    **parameters: str,
) -> Deployed:
    emulator, imaging, surroundings = emulated
    # The emulator has no AWS::HealthImaging::Datastore: the stack takes an existing data store.
    given = {"DatastoreId": imaging.datastore_id, **parameters}
    more = " ".join(f"ParameterKey={key},ParameterValue={value}" for key, value in given.items())
    last = "ParameterValue=stroke-detection-ai"
    stack = f"{project}-phase1"

    def fill(commands: str) -> str:
        whole = commands.replace(last, f"ParameterValue={project} {more}")
        return whole.replace("stroke-detection-phase1", stack)

    run(emulator.account, blocks("Deploy the infrastructure"), folder, fill)
    return Deployed(emulator.account, imaging, surroundings, project, outputs_of(emulator.account, stack))


@pytest.fixture(scope="module")
def stack(emulated: tuple[EmulatorWithImaging, HealthImagingServer, Surroundings], folder: Path) -> Deployed:
    """Return Phase 1 with the door of the printed line open, polled soon so that tests need not wait."""
    return create(emulated, folder, ApiAuth="NONE", PollSeconds="2")


@pytest.fixture
def phase1(stack: Deployed) -> Iterator[Deployed]:
    stack.imaging.throttle_to(1000)
    stack.surroundings.tells = True
    yield stack
    stack.imaging.may_end.set()


def test_the_readmes_commands_take_a_scan_from_upload_to_ready(phase1: Deployed, folder: Path) -> None:
    account = phase1.account
    run(account, blocks("Deploy the functions' code"), folder)
    api = f"http://{phase1.outputs['ApiId']}.execute-api.localhost:{account.endpoint.rpartition(':')[2]}"

    def fill(commands: str) -> str:
        return (
            commands.replace("https://{API_ID}.execute-api.{REGION}.amazonaws.com", api)
            .replace("{ACCOUNT_ID}", "000000000000")
            .replace("{ACCOUNT}", "000000000000")
            .replace("{REGION}", REGION)
        )

    printed = run(account, blocks("Upload a scan"), folder, fill)
    study = json.loads(printed[printed.rindex('{"message"') :])
    assert list(study) == ["message", "study_id", "import_job_id", "status"]
    assert (study["message"], study["status"]) == ("DICOM ingestion started", "processing")
    ended = phase1.ended(study["study_id"])
    assert ended["status"] == "SUCCEEDED", ended

    def fill_study(commands: str) -> str:
        return fill(commands).replace("STUDY-abc123def456", study["study_id"])

    told = run(account, blocks("See how it goes"), folder, fill_study)
    item, execution = told.split("}\n{", 1)
    row = {name: value["S"] for name, value in json.loads(item + "}")["Item"].items()}
    assert set(row) == PRINTED
    assert (row["status"], row["import_status"]) == ("READY_FOR_ANALYSIS", "COMPLETED")
    assert row["image_set_id"] in phase1.imaging.store.image_sets
    described = json.loads("{" + execution)
    assert described["name"] == f"stroke-analysis-{study['study_id']}"
    assert json.loads(described["output"])["image_set_id"] == row["image_set_id"]


def test_a_retry_is_no_duplicate(phase1: Deployed) -> None:
    phase1.upload("uploads/retried.dcm", CT.read_bytes())
    asked = {**ASKED, "file_key": "uploads/retried.dcm"}
    jobs = len(phase1.imaging.jobs)
    first, second = phase1.post(asked), phase1.post(asked)
    assert first == second
    assert first[0] == 200
    assert len(phase1.imaging.jobs) == jobs + 1
    assert phase1.ended(first[1]["study_id"])["status"] == "SUCCEEDED"
    assert phase1.post(asked)[1] == {**first[1], "status": "ready_for_analysis"}


def test_a_failed_import_fails_row_and_execution_with_the_reason(phase1: Deployed) -> None:
    phase1.upload("uploads/failing.dcm", CT.read_bytes())
    with phase1.without("healthimaging-import", "s3:GetObject"):
        study = phase1.post({**ASKED, "file_key": "uploads/failing.dcm"})[1]
        ended = phase1.ended(study["study_id"])
    assert (ended["status"], ended["error"]) == ("FAILED", "Import failed")
    assert "import job failed" in ended["cause"]
    row = phase1.row(study["study_id"])
    assert (row["status"], row["import_status"]) == ("FAILED", "FAILED")
    assert set(row) == PRINTED - {"image_set_id"}


def test_an_event_that_is_lost_is_made_up_for_by_the_poll(phase1: Deployed) -> None:
    phase1.surroundings.tells = False
    phase1.imaging.may_end.clear()
    phase1.upload("uploads/quiet.dcm", CT.read_bytes())
    study = phase1.post({**ASKED, "file_key": "uploads/quiet.dcm"})[1]
    wait_for(lambda: phase1.row(study["study_id"])["import_status"] == "IN_PROGRESS", "progress in the row")
    phase1.imaging.may_end.set()
    assert phase1.ended(study["study_id"])["status"] == "SUCCEEDED"
    assert phase1.row(study["study_id"])["status"] == "READY_FOR_ANALYSIS"


def test_starts_that_are_throttled_as_by_aws_wait_for_their_turn(phase1: Deployed) -> None:
    phase1.imaging.throttle_to(0.25)
    studies = []
    for number in range(2):
        key = f"uploads/throttled-{number}.dcm"
        phase1.upload(key, CT.read_bytes())
        status, study = phase1.post({**ASKED, "file_key": key})
        assert status == 200, study
        studies.append(study["study_id"])
    assert phase1.imaging.throttle.refused > 0
    assert [phase1.ended(study)["status"] for study in studies] == ["SUCCEEDED"] * 2


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"patient_id": "", "file_key": "x"}, 400, "Bad request"),
        ({**ASKED, "file_key": "uploads/none.dcm"}, 404, "Not found"),
        ({**ASKED, "file_key": "uploads/text.dcm"}, 400, "Invalid DICOM file"),
    ],
)
def test_what_cannot_be_imported_is_refused_at_the_door(
    phase1: Deployed, body: dict[str, object], status: int, error: str
) -> None:
    phase1.upload("uploads/text.dcm", b"no image")
    answer = phase1.post(body)
    assert (answer[0], answer[1]["error"]) == (status, error)


@pytest.mark.parametrize(
    "action",
    [
        "s3:GetObjectVersion",
        "s3:PutObject",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "medical-imaging:StartDICOMImportJob",
        "iam:PassRole",
        "states:StartExecution",
    ],
)
def test_the_upload_handler_needs_each_of_its_permissions_and_a_retry_heals(
    phase1: Deployed, action: str
) -> None:
    key = f"uploads/{action.replace(':', '-')}.dcm"
    phase1.upload(key, CT.read_bytes())
    with phase1.without("upload-handler", action):
        status, answer = phase1.post({**ASKED, "file_key": key})
    assert (status, answer["error"]) == (403, "Access Denied")
    status, study = phase1.post({**ASKED, "file_key": key})
    assert status == 200
    assert phase1.ended(study["study_id"])["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    "action", ["dynamodb:UpdateItem", "s3:GetObject", "medical-imaging:GetDICOMImportJob"]
)
def test_the_monitor_needs_each_of_its_permissions(phase1: Deployed, action: str) -> None:
    key = f"uploads/monitor-{action.replace(':', '-')}.dcm"
    phase1.upload(key, CT.read_bytes())
    with phase1.without("import-monitor", action):
        study = phase1.post({**ASKED, "file_key": key})[1]
        ended = phase1.ended(study["study_id"])
    assert (ended["status"], ended["error"]) == ("FAILED", "Refused")
    assert "uploads/" not in json.dumps(ended["cause"])
    assert phase1.row(study["study_id"])["status"] == "IMPORTING"


@pytest.mark.parametrize("action", ["states:SendTaskSuccess", "s3:PutObject"])
def test_without_its_waits_the_monitor_is_polled_alone(phase1: Deployed, action: str) -> None:
    key = f"uploads/waits-{action.replace(':', '-')}.dcm"
    phase1.upload(key, CT.read_bytes())
    with phase1.without("import-monitor", action):
        study = phase1.post({**ASKED, "file_key": key})[1]
        assert phase1.ended(study["study_id"])["status"] == "SUCCEEDED"


def test_a_page_of_another_origin_may_post(phase1: Deployed) -> None:
    template = table(load((FOLDER / "cloudformation_phase1.yaml").read_text(encoding="utf-8")))
    api = table(table(table(template["Resources"])["UploadApi"])["Properties"])
    # The emulator keeps what the template says under names that it does not read; so it is told again.
    phase1.account.client("apigatewayv2").update_api(
        ApiId=phase1.outputs["ApiId"],
        CorsConfiguration={**table(api["CorsConfiguration"]), "AllowOrigins": ["*"]},
    )
    asked = ("-H", "Origin: https://clinic.example", "-H", "Access-Control-Request-Method: POST")
    ran = subprocess.run(
        ["curl", "-sS", "-i", "-X", "OPTIONS", phase1.url, *asked],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    told = ran.stdout.lower()
    assert "access-control-allow-origin: *" in told
    assert "post" in told[told.index("access-control-allow-methods") :]


def test_nothing_of_the_patient_is_in_a_log_a_metric_or_an_execution(phase1: Deployed) -> None:
    phase1.upload(PLANTED["file_key"], CT.read_bytes())
    status, study = phase1.post(PLANTED)
    assert status == 200
    phase1.post({**PLANTED, "file_key": "uploads/Doe_none.dcm"})
    phase1.post({**PLANTED, "patient_id": "PATIENTX77 "})
    phase1.ended(study["study_id"])
    assert set(phase1.row(study["study_id"])) == PRINTED
    states = phase1.account.client("stepfunctions")
    machine = phase1.outputs["StateMachineArn"]
    places = [*logs(phase1.account), *metrics(phase1.account)]
    for execution in states.list_executions(stateMachineArn=machine)["executions"]:
        history = states.get_execution_history(executionArn=execution["executionArn"])["events"]
        places.append((execution["name"], json.dumps(history, default=str).encode()))
    assert any(b"study accepted" in body for _, body in places)
    needles = [b"PATIENTX77", b"ZEBRAFISH", b"Doe", b"uploads/", b"P123456", b"Suspected"]
    assert [(place, needle) for place, body in places for needle in needles if needle in body] == []


@pytest.fixture(scope="module")
def closed(emulated: tuple[EmulatorWithImaging, HealthImagingServer, Surroundings], folder: Path) -> Deployed:
    """Return Phase 1 as it is by default: signed requests, and a poll every 30 seconds."""
    made = create(emulated, folder, "stroke-closed")
    made.imaging.throttle_to(1000)
    made.surroundings.tells = True
    return made


def signed(stack: Deployed, user: str = "") -> tuple[str, ...]:
    """Return what the README adds to curl for AWS_IAM."""
    keys = user or f"{stack.account.key_id}:{stack.account.secret_key}"
    return ("--aws-sigv4", f"aws:amz:{REGION}:execute-api", "--user", keys)


def test_the_door_is_closed_to_who_does_not_sign_or_may_not(closed: Deployed) -> None:
    closed.upload("uploads/signed.dcm", CT.read_bytes())
    body = {**ASKED, "file_key": "uploads/signed.dcm"}
    assert closed.post(body)[0] == 403
    iam = closed.account.client("iam")
    iam.create_user(UserName="nobody")
    keys = iam.create_access_key(UserName="nobody")["AccessKey"]
    assert closed.post(body, *signed(closed, f"{keys['AccessKeyId']}:{keys['SecretAccessKey']}"))[0] == 403
    status, study = closed.post(body, *signed(closed))
    assert status == 200, study
    assert closed.ended(study["study_id"])["status"] == "SUCCEEDED"


def test_the_event_wakes_the_watch_long_before_the_poll(closed: Deployed) -> None:
    closed.imaging.may_end.clear()
    closed.upload("uploads/told.dcm", CT.read_bytes())
    study = closed.post({**ASKED, "file_key": "uploads/told.dcm"}, *signed(closed))[1]
    s3, waits = closed.account.client("s3"), {"Bucket": closed.outputs["UploadBucketName"]}
    kept = f"import-waits/{study['study_id']}"
    wait_for(lambda: s3.list_objects_v2(**waits, Prefix=kept)["KeyCount"], "the token of the wait")
    closed.imaging.may_end.set()
    ended = closed.ended(study["study_id"], seconds=20)
    assert ended["status"] == "SUCCEEDED"
    history = closed.account.client("stepfunctions").get_execution_history(
        executionArn=ended["executionArn"]
    )["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "Entered" in event["type"]]
    assert entered == ["WaitForImport", "ImportEnded", "ReadyForAnalysis"]


def test_with_jwt_the_door_opens_to_a_bearer_of_its_issuer(
    emulated: tuple[EmulatorWithImaging, HealthImagingServer, Surroundings], folder: Path
) -> None:
    cognito = emulated[0].account.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="clinic")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="upload", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="reader", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(
        UserPoolId=pool, Username="reader", Password="Right-1-Horse", Permanent=True
    )
    token = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "reader", "PASSWORD": "Right-1-Horse"},
    )["AuthenticationResult"]["IdToken"]
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{pool}"
    stack = create(emulated, folder, "stroke-jwt", ApiAuth="JWT", JwtIssuer=issuer, JwtAudience=client)
    stack.imaging.throttle_to(1000)
    stack.upload("uploads/bearer.dcm", CT.read_bytes())
    body = {**ASKED, "file_key": "uploads/bearer.dcm"}
    assert stack.post(body)[0] == 401
    assert stack.post(body, "-H", f"Authorization: Bearer {token[:-4]}AAAA")[0] == 401
    status, study = stack.post(body, "-H", f"Authorization: Bearer {token}")
    assert status == 200, study
    assert stack.ended(study["study_id"])["status"] == "SUCCEEDED"
