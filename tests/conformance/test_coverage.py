"""Every demand of the spec has a case or a reason why not, and every case a demand."""

from fnmatch import fnmatchcase

import pytest

from plugwire_conformance.case import Case
from plugwire_conformance.cases import load
from plugwire_conformance.oracles import Oracle, oracles
from plugwire_conformance.report import Level, Role
from plugwire_conformance.requirements import asked_of, excluded, requirements

ROLES = pytest.mark.parametrize("role", list(Role))


def everything(role: Role) -> list[Case | Oracle]:
    return [*load(role), *oracles(role)]


def asked_for(role: Role) -> set[str]:
    return {name for case in everything(role) for name in case.requirements}


def test_the_sentences_of_the_spec_are_there() -> None:
    assert len(requirements()) > 300
    assert requirements()["FRM-02"].text == "The length MUST count bytes of UTF-8, not characters."
    assert requirements()["FRM-02"].binds == (Role.PLUGIN, Role.HOST)
    assert requirements()["LIF-04"].binds == (Role.PLUGIN,)
    assert requirements()["CAL-02"].binds == (Role.HOST,)
    assert requirements()["FRM-08"].level is Level.SHOULD
    assert all(row.binds for row in requirements().values())


@ROLES
def test_every_demand_has_a_case_or_a_reason(role: Role) -> None:
    missing = [row.id for row in asked_of(role) if row.id not in asked_for(role) | excluded(role).keys()]
    assert not missing, f"{len(missing)} without a case: {' '.join(missing)}"


@ROLES
def test_no_demand_has_both_a_case_and_a_reason(role: Role) -> None:
    assert sorted(asked_for(role) & excluded(role).keys()) == []


@ROLES
def test_cases_and_reasons_name_sentences_of_the_spec(role: Role) -> None:
    assert sorted((asked_for(role) | excluded(role).keys()) - requirements().keys()) == []
    assert {name for name, reason in excluded(role).items() if len(reason) < 20} == set()


@ROLES
def test_every_case_names_a_sentence_and_says_what_to_do(role: Role) -> None:
    for case in everything(role):
        assert case.requirements, case.id
        assert len(case.title) > 10, case.id
        assert not case.title.endswith("."), case.id
        assert len(case.why) > 20, case.id
        assert len(case.mend) > 20, case.id
        assert fnmatchcase(case.id, "[a-z]*/[a-z]*"), case.id


@ROLES
def test_the_level_of_a_case_is_one_of_its_sentences(role: Role) -> None:
    for case in everything(role):
        levels = {requirements()[name].level for name in case.requirements}
        # What a MAY allows has to be done as it is said, once it is done.
        assert case.level in levels | {Level.SHOULD} or levels == {Level.MAY}, case.id


def test_cases_that_need_fixture_methods_are_not_of_the_core() -> None:
    assert [case.id for case in load(Role.PLUGIN) if case.needs and case.profile == "core"] == []
