"""Every way in that others were broken into by has a test here: which one, and that it is there."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

#: What was done to others, and the tests that show that it cannot be done here.
CASES: dict[str, tuple[str, ...]] = {
    "a pickle in a checkpoint (CVE-2025-32434, CVE-2026-24747)": (
        "dna_engine/test_weights.py::test_pickles_are_refused_unread",
        "dna_engine/test_weights.py::test_what_is_no_such_file",
        "dna_engine/blockwise/test_models.py::TestWeights::test_a_pickle_is_refused",
        "dna_engine/runtime/test_checkpoint.py::test_what_it_cannot_hold_is_refused_and_the_old_file_stays",
        "api/teachers/test_upload.py::test_what_is_refused_leaves_nothing",
    ),
    "an archive that writes elsewhere (CVE-2025-4517, -4330, -4435)": (
        "dna_engine/images/test_archive.py::test_names_that_lead_out_or_differ_between_systems",
        "dna_engine/images/test_archive.py::test_what_is_no_file_in_a_tar",
        "dna_engine/images/test_archive_hostile.py::test_every_kind_is_refused_in_words",
        "dna_engine/images/test_archive_generated.py::test_none_gets_in_and_none_leaves_anything",
        "api/datasets/test_upload.py::test_of_hostile_archives_nothing_is_left",
    ),
    "bombs: archives, and pictures of 50,000 times 50,000 pixels": (
        "dna_engine/images/test_archive.py::test_a_bomb_is_stopped_by_what_comes_out",
        "dna_engine/images/test_archive.py::test_limits",
        "dna_engine/images/test_archive_hostile.py::test_memory_stays_small",
        "dna_engine/images/pictures/test_file.py::test_what_cannot_be_used_is_named",
        "dna_engine/images/pictures/test_decoder.py::test_decoding_takes_no_more_than_is_counted",
    ),
    "a path in the place of an artifact's name (CVE-2023-6909)": (
        "api/architectures/test_endpoints.py::test_no_path_leads_to_a_file",
        "api/architectures/test_endpoints.py::test_other_formats_are_refused",
        "api/system/test_docs.py::test_only_static_files_are_static",
    ),
    "a URL that leads inside (CVE-2026-2393)": (
        "api/datasets/test_allowed.py::test_what_does_not",
        "api/datasets/test_allowed.py::test_what_begins_so_and_leads_elsewhere",
        "api/datasets/test_urls.py::test_what_the_operator_does_not_allow",
        "store/test_reach.py::test_no_others_are",
        "store/test_reach.py::test_however_this_machine_is_written",
        "api/webhooks/test_endpoints.py::test_what_cannot_be_is_refused",
        "worker/test_courier.py::test_a_name_that_leads_elsewhere_the_next_time_is_refused_then",
        "worker/test_courier.py::test_redirects_are_not_followed",
        "worker/test_courier.py::test_certificates_are_checked_by_the_name_though_the_address_is_pinned",
    ),
    "bodies: huge, deep, of numbers and letters that cannot be kept": (
        "api/test_body.py::test_a_body_is_counted_while_it_arrives",
        "api/test_body.py::test_deep_json_is_refused",
        "api/test_body.py::test_more_values_than_any_search_has_are_refused_before_they_are_built",
        "api/test_body.py::test_values_that_cannot_be_kept_are_pointed_at",
        "api/test_body.py::test_what_is_not_json_is_malformed",
        "contract/test_contract.py::test_what_comes_back_is_what_the_document_says",
    ),
    "a Range of very many ranges (CVE-2025-62727)": (
        "api/architectures/test_endpoints.py::test_ranges_that_are_none_give_the_whole",
        "api/system/test_docs.py::test_fifty_thousand_ranges_of_a_static_file_are_soon_answered",
        "project/test_security.py::test_versions_with_known_holes_are_not_taken",
    ),
    "multipart (CVEs of python-multipart)": (
        "api/datasets/test_upload.py::test_forms_that_are_none",
        "project/test_security.py::test_versions_with_known_holes_are_not_taken",
    ),
    "keys: their time, their list, and whose things are whose": (
        "store/test_keys.py::test_a_key_is_of_256_random_bits",
        "store/test_keys.py::test_a_key_opens_until_it_is_revoked",
        "store/test_keys.py::test_a_wrong_key_opens_nothing",
        "api/test_auth.py::test_other_credentials_do_not",
        "api/test_auth.py::test_without_a_key_every_resource_is_closed",
        "api/uploads/test_uploads.py::test_each_file_is_its_owners",
        "api/test_projects.py::test_every_route_answers_to_another_projects_id_as_to_none",
        "api/test_projects.py::test_no_list_shows_another_projects_things",
    ),
    "names of teachers and datasets that bring foreign code": (
        "api/searches/test_endpoints.py::test_a_wrong_spec_is_refused_with_the_field_and_what_exists",
        "dna_engine/test_catalogue.py::test_an_unknown_teacher_is_refused_by_name",
        "api/datasets/test_allowed.py::test_what_does_not",
    ),
    "forged messages in the broker": (
        "worker/test_node.py::test_forged_messages_are_dropped_and_it_leaves_when_told",
        "project/test_compose.py::test_only_what_is_asked_from_outside_is_published_and_on_loopback",
    ),
}

#: The last version of a package that had a hole which matters here.
HOLES = {"starlette": "1.5.0", "python-multipart": "0.0.26", "torch": "2.9.1"}


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_its_tests(case: str) -> None:
    for test in CASES[case]:
        file, _, name = test.partition("::")
        assert name in named_in(ROOT / "tests" / file), test


@cache
def named_in(file: Path) -> set[str]:
    """Names of its tests, those in classes as ``Class::name``."""
    body = ast.parse(file.read_text()).body
    inner = (
        f"{owner.name}::{test.name}"
        for owner in body
        if isinstance(owner, ast.ClassDef)
        for test in owner.body
        if isinstance(test, ast.FunctionDef)
    )
    return {*inner, *(test.name for test in body if isinstance(test, ast.FunctionDef))}


@pytest.mark.parametrize("package", HOLES)
def test_versions_with_known_holes_are_not_taken(package: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = [found for text in chain.from_iterable(extras.values()) if (found := Requirement(text)).name == package]
    assert asked
    assert not any(requirement.specifier.contains(HOLES[package]) for requirement in asked)
