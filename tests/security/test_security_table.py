"""The threats to tools, commands, files, addresses and patterns, and the tests that hold each off."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "SSRF": {
        "tools/test_tools_guard.py": (
            "test_no_way_of_writing_loopback_reaches_it",
            "test_addresses_that_are_not_everybodys_are_not_public",
            "test_wrapping_an_ipv4_address_in_ipv6_never_makes_it_more_public",
            "test_a_redirect_to_the_metadata_service_is_refused",
            "test_a_name_that_flips_to_loopback_after_the_check_gains_nothing",
            "test_a_name_that_flips_between_two_hops_is_refused_at_the_second",
            "test_one_private_address_among_public_ones_spoils_the_name",
        ),
        "tools/test_tools_http.py": (
            "test_an_endless_answer_is_read_up_to_the_limit_and_left",
            "test_a_server_that_never_answers_is_left_at_the_timeout",
            "test_a_redirect_elsewhere_takes_no_secret_header_along",
        ),
    },
    "argument injection": {
        "tools/test_tools_defined.py": (
            "test_the_number_of_arguments_never_depends_on_the_values",
            "test_the_text_of_a_shell_command_never_depends_on_the_values",
            "test_a_value_that_opens_an_argument_never_opens_it_with_a_dash",
            "test_a_value_is_one_part_of_the_path_and_one_value_of_the_query",
            "test_a_value_in_a_text_body_is_one_json_value",
            "test_a_header_stays_one_line",
        ),
        "tools/test_tools_injection.py": (
            "test_no_argument_is_ever_more_than_one_argument",
            "test_no_value_leaves_its_place_in_an_address",
            "test_no_value_makes_a_second_header",
        ),
    },
    "file sandbox": {
        "tools/test_tools_sandbox.py": (
            "test_every_escape_is_refused_for_reading_and_for_writing",
            "test_no_path_of_any_pieces_reads_or_writes_outside",
            "test_a_rename_race_never_reads_or_writes_outside",
            "test_a_fifo_a_socket_and_a_directory_are_no_files",
            "test_a_write_never_reaches_through_a_hard_link",
            "test_a_failed_write_leaves_no_trace",
        ),
    },
    "commands": {
        "tools/test_tools_shell.py": (
            "test_the_environment_is_not_ours",
            "test_there_is_no_network",
            "test_a_service_on_loopback_is_not_reached",
            "test_the_system_cannot_be_written",
            "test_what_is_written_beside_the_workspace_never_existed",
            "test_there_are_no_capabilities_and_none_of_our_processes",
            "test_a_fork_bomb_is_bounded_and_leaves_nothing",
            "test_a_timeout_leaves_no_process_and_no_descriptor",
            "test_what_a_finished_command_left_running_ends_with_it",
            "test_kill_9_of_the_host_takes_the_command_along",
            "test_a_command_outlives_the_ten_seconds_after_which_idle_threads_end",
            "test_without_bubblewrap_commands_are_refused_with_the_remedy",
        ),
        "tools/test_tools_isolated.py": (
            "test_the_timeout_kills_it_with_all_that_it_started",
            "test_kill_9_of_the_host_takes_the_call_and_all_it_started_along",
        ),
        "security/test_security_cancels.py": ("test_200_turns_stopped_at_random_points_leave_nothing",),
    },
    "tool rights": {
        "tools/test_tools_injection.py": (
            "test_an_unlisted_call_is_denied_with_an_event",
            "test_a_child_that_a_tool_makes_gets_at_most_its_callers_tools",
        ),
        "app/test_app_skills.py": (
            "test_a_skill_grants_no_tool_and_load_skill_comes_only_with_skills_to_load",
            "test_a_skill_in_the_home_is_used_once_it_is_trusted_and_only_as_it_was",
        ),
    },
    "injection, approvals": {
        "tools/test_tools_injection.py": ("test_a_model_that_obeys_every_injection_exfiltrates_nothing",),
        "app/test_app_approvals.py": (
            "test_a_conversation_that_has_seen_both_asks_before_it_acts",
            "test_a_child_has_seen_what_its_parent_has_and_the_other_way_round",
            "test_a_request_pending_at_a_kill_is_pending_afterwards_and_its_turn_waits_on",
            "test_a_request_is_answered_once",
            "test_a_request_that_nobody_answers_is_a_no_after_its_time",
            "test_where_nobody_could_answer_it_is_denied_at_once_and_says_why",
        ),
    },
    "YAML, regex": {
        "skills/test_skills_match.py": (
            "test_patterns_that_explode_elsewhere_take_linear_time",
            "test_what_re2_does_not_do_is_refused_with_the_file",
        ),
        "skills/test_skills_library.py": ("test_no_bytes_do_anything_but_parse_or_be_refused",),
        "tools/test_tools_toolbox.py": (
            "test_a_schema_with_a_lookaround_or_a_remote_reference_is_refused",
            "test_a_hostile_pattern_is_matched_in_linear_time",
        ),
    },
}


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(
    ("file", "names"),
    [pytest.param(file, names, id=f"{row}: {file}") for row, files in TABLE.items() for file, names in files.items()],
)
def test_each_threat_is_held_off_by_tests_of_these_names(file: str, names: tuple[str, ...]) -> None:
    assert set(names) <= _names(TESTS / file)
