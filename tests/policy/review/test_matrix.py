"""Who may read what, cell by cell: what RULES.md and the habilitation matrix say, written down by hand."""

import csv
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from models.vocabulary import Action, Category, Mode
from policy.engine import Engine
from policy.review.matrix.askers import ASKERS
from policy.review.matrix.cells import TYPES, Cell
from policy.review.matrix.merging import merged
from policy.review.matrix.report import Matrix, matrix_of
from policy.review.matrix.table import COLUMNS
from tests.policy.folders import copy_of_the_policy, rewrite

HABILITATIONS = "habilitations.csv"
PROFESSIONALS_TIES = ("care_team", "granted", "samu_regulator", "none")


@pytest.fixture(scope="module")
def matrix(engine: Engine) -> Matrix:
    """The matrix of the packaged rules, all modes."""
    return matrix_of(engine)


def cell(matrix: Matrix, mode: str, who: str, tie: str, category: str) -> Cell:
    (found,) = [
        row.cells[Category(category)]
        for row in matrix.content.tables[Mode(mode)]
        if (row.asker.who, row.asker.tie) == (who, tie)
    ]
    return found


def told(matrix: Matrix, mode: str, who: str, tie: str, category: str) -> str:
    """A cell in short: the answer, the rule, and how many of how many where only some are open."""
    found = cell(matrix, mode, who, tie, category)
    counts = f" {found.open}/{len(found.types)}" if found.answer == "partial" else ""
    return f"{found.answer} {found.rulings[0].rule}{counts}"


def answers(matrix: Matrix, persona: str) -> dict[str, str]:
    """What each circumstance does to a persona."""
    (decisions,) = [each.decisions for each in matrix.content.changes if each.persona.key == persona]
    return {key: f"{'yes' if each.allowed else 'no'} {each.rule}" for key, each in decisions.items()}


def changed(folder: Path, file: str, change: Callable[[str], str]) -> Matrix:
    """The matrix of a policy that differs from the packaged one."""
    copy_of_the_policy(folder)
    rewrite(folder / file, change)
    return matrix_of(Engine.load(folder))


class TestCells:
    """An open dossier, a current document of others that nothing hides."""

    @pytest.mark.parametrize(
        "mode, who, tie, category, expected",
        [
            ("normal", "person", "holder", "report", "yes holder"),
            ("normal", "person", "holder", "reimbursement", "yes holder"),
            ("normal", "person", "legal_representative", "certificate", "yes legal-representative"),
            ("normal", "person", "caregiver", "patient_document", "yes caregiver"),
            ("normal", "physician", "treating_physician", "report", "yes treating-physician"),
            ("normal", "physician", "treating_physician", "administrative", "partial treating-physician 11/12"),
            ("normal", "physician", "care_team", "summary", "yes care-team"),
            ("normal", "physician", "none", "report", "no not-permitted"),
            ("normal", "physician", "samu_regulator", "report", "no not-permitted"),
            ("normal", "pharmacist", "granted", "certificate", "partial granted 5/7"),
            ("normal", "nurse", "care_team", "report", "partial care-team 38/40"),
            ("normal", "nurse", "care_team", "care_plan", "yes care-team"),
            ("normal", "nurse", "granted", "prescription", "partial granted 13/14"),
            ("normal", "nurse", "none", "care_plan", "no not-permitted"),
            ("normal", "dietitian", "care_team", "imaging", "no not-habilitated"),
            ("normal", "laboratory_technician", "granted", "report", "partial granted 1/40"),
            ("normal", "optician", "care_team", "reimbursement", "no not-habilitated"),
            ("normal", "social_worker", "granted", "report", "no not-habilitated"),
            ("normal", "social_coordinator", "care_team", "report", "no not-habilitated"),
            ("normal", "health_facility", "none", "report", "no not-permitted"),
            ("normal", "insurance_fund", "none", "reimbursement", "no not-permitted"),
            ("normal", "staff_of_health_facility", "none", "report", "no not-permitted"),
            ("normal", "employer", "none", "report", "no prohibited-party"),
            ("normal", "staff_of_bank", "none", "reimbursement", "no prohibited-party"),
            ("break_glass", "person", "holder", "report", "no emergency-scope"),
            ("break_glass", "physician", "treating_physician", "report", "yes break-glass"),
            ("break_glass", "physician", "none", "report", "yes break-glass"),
            ("break_glass", "nurse", "none", "report", "partial break-glass 38/40"),
            ("break_glass", "social_worker", "care_team", "report", "no not-habilitated"),
            ("break_glass", "laboratory", "none", "report", "no emergency-scope"),
            ("break_glass", "complementary_insurer", "none", "report", "no prohibited-party"),
            ("centre_15", "physician", "samu_regulator", "report", "yes centre-15"),
            ("centre_15", "physician", "treating_physician", "report", "no not-permitted"),
            ("centre_15", "physician", "none", "report", "no not-permitted"),
            ("centre_15", "nurse", "samu_regulator", "care_plan", "no not-permitted"),
            ("centre_15", "person", "caregiver", "report", "no emergency-scope"),
        ],
    )
    def test_a_cell_has_its_answer_and_its_rule(
        self, matrix: Matrix, mode: str, who: str, tie: str, category: str, expected: str
    ) -> None:
        """As RULES §4 and the rows of the habilitation matrix have it."""
        assert told(matrix, mode, who, tie, category) == expected

    def test_a_partial_cell_knows_its_types(self, matrix: Matrix) -> None:
        """Nurses do not see a child's health assessment nor a psychological one."""
        found = cell(matrix, "normal", "nurse", "care_team", "report")
        assert (found.rules(allowed=True), found.rules(allowed=False)) == (("care-team",), ("not-habilitated",))
        assert found.closed == ("68817-6", "83901-9")
        assert sorted(found.types) == sorted(TYPES[Category.REPORT])

    def test_a_closed_cell_may_have_two_rules(self, matrix: Matrix) -> None:
        """Types that the matrix opens are refused for want of a tie, the others by the matrix already."""
        found = cell(matrix, "normal", "physician", "none", "administrative")
        assert [(ruling.rule, len(ruling.types)) for ruling in found.rulings] == [
            ("not-permitted", 11),
            ("not-habilitated", 1),
        ]

    @pytest.mark.parametrize(
        "who, tie, category, expected",
        [
            ("nurse", "care_team", "report", False),  # sourced
            ("nurse", "care_team", "imaging", True),  # assumed
            ("nurse", "none", "imaging", False),  # closed whatever the matrix says
            ("optician", "granted", "certificate", True),  # its only row is an assumed refusal of one type
            ("optician", "granted", "reimbursement", False),  # without any row
            ("hearing_aid_practitioner", "granted", "report", True),  # opened type by type
            ("social_coordinator", "care_team", "report", False),  # suspended rows do not count
            ("bank", "none", "report", False),
        ],
    )
    def test_what_rests_on_placeholders_is_marked(
        self, matrix: Matrix, who: str, tie: str, category: str, expected: bool
    ) -> None:
        """Where an assumed row of the matrix decides the answer, and only there."""
        assert cell(matrix, "normal", who, tie, category).assumed is expected

    def test_a_row_that_becomes_official_loses_its_mark(self, tmp_path: Path) -> None:
        """The mark is read from the matrix."""
        matrix = changed(
            tmp_path,
            HABILITATIONS,
            lambda text: text.replace("nurse,imaging,allow,assumed", "nurse,imaging,allow,sourced"),
        )
        assert not cell(matrix, "normal", "nurse", "care_team", "imaging").assumed

    def test_other_actions_have_their_matrix(self, engine: Engine) -> None:
        """Of the professionals, only the treating physician masks documents of others."""
        matrix = matrix_of(engine, Action.DOCUMENT_MASK, [Mode.NORMAL])
        ties = {
            (row.asker.who, row.asker.tie)
            for row in matrix.content.tables[Mode.NORMAL]
            if any(each.open for each in row.cells.values())
        }
        assert ties == {
            ("person", "holder"),
            ("person", "legal_representative"),
            ("person", "caregiver"),
            ("physician", "treating_physician"),
        }

    def test_everybody_is_asked_for_with_every_tie(self) -> None:
        """Only physicians are treating physicians; persons, organizations and staff have one tie each."""
        ties = Counter(asker.who for asker in ASKERS)
        assert (len(ASKERS), ties["person"], ties["physician"], ties["nurse"], ties["bank"]) == (110, 3, 5, 4, 1)
        assert [asker.tie for asker in ASKERS if asker.who == "social_worker"] == list(PROFESSIONALS_TIES)


class TestCircumstances:
    """What changes the answer, as RULES §4.1 has it."""

    @pytest.mark.parametrize(
        "persona, expected",
        [
            (
                "holder",
                {
                    "ordinary": "yes holder",
                    "masked": "yes holder",
                    "withheld": "no withheld-from-patient",
                    "hidden": "yes holder",
                    "closed": "no dossier-closed",
                },
            ),
            (
                "caregiver",
                {
                    "ordinary": "yes caregiver",
                    "masked": "yes caregiver",
                    "withheld": "no withheld-from-patient",
                    "hidden": "no hidden-from-representatives",
                    "closed": "no dossier-closed",
                },
            ),
            (
                "treating_physician",
                {
                    "ordinary": "yes treating-physician",
                    "masked": "yes treating-physician",
                    "withheld": "yes treating-physician",
                    "hidden": "yes treating-physician",
                    "blocked": "no blocked",
                    "weak": "no weak-authentication",
                    "closed": "no dossier-closed",
                },
            ),
            (
                "care_team",
                {
                    "ordinary": "yes care-team",
                    "masked": "no masked",
                    "withheld": "yes care-team",
                    "hidden": "yes care-team",
                    "blocked": "no blocked",
                    "weak": "no weak-authentication",
                    "no_consent": "no not-permitted",
                    "closed": "no dossier-closed",
                },
            ),
            (
                "break_glass",
                {
                    "ordinary": "yes break-glass",
                    "masked": "no masked",
                    "masked_shown": "yes break-glass",
                    "withheld": "yes break-glass",
                    "hidden": "yes break-glass",
                    "blocked": "no blocked",
                    "weak": "no weak-authentication",
                    "refused": "no break-glass-refused",
                    "no_reason": "no reason-required",
                    "closed": "no dossier-closed",
                },
            ),
            (
                "centre_15",
                {
                    "ordinary": "yes centre-15",
                    "masked": "no masked",
                    "masked_shown": "yes centre-15",
                    "withheld": "yes centre-15",
                    "hidden": "yes centre-15",
                    "blocked": "no blocked",
                    "weak": "no weak-authentication",
                    "refused": "no centre-15-refused",
                    "closed": "no dossier-closed",
                },
            ),
        ],
    )
    def test_each_circumstance_has_its_answer(self, matrix: Matrix, persona: str, expected: dict[str, str]) -> None:
        """Those that cannot be the persona's are left out."""
        assert answers(matrix, persona) == expected

    def test_personas_come_in_their_mode(self, engine: Engine) -> None:
        """One mode shows its own."""
        shown = matrix_of(engine, modes=[Mode.CENTRE_15]).content.changes
        assert [each.persona.key for each in shown] == ["centre_15"]


class TestFaultyPolicies:
    """A wrong row is seen in its cell."""

    def test_a_mask_that_leaks_in_emergencies(self, tmp_path: Path) -> None:
        """Whoever breaks the glass reads what the patient masked."""
        matrix = changed(
            tmp_path, "rules/40-documents.csv", lambda text: text.replace("& !emergency_lifts_mask", "& normal")
        )
        assert (answers(matrix, "break_glass")["masked"], answers(matrix, "care_team")["masked"]) == (
            "yes break-glass",
            "no masked",
        )

    def test_a_regulator_who_need_not_be_one(self, tmp_path: Path) -> None:
        """Any physician enters by centre 15."""
        matrix = changed(
            tmp_path,
            "rules/50-emergencies.csv",
            lambda text: text.replace("reading, centre_15 & samu_regulator, allow", "reading, centre_15, allow"),
        )
        assert told(matrix, "centre_15", "physician", "none", "report") == "yes centre-15"

    def test_a_fund_that_reads(self, tmp_path: Path) -> None:
        """All of it, in normal mode."""
        matrix = changed(
            tmp_path,
            "rules/70-care.csv",
            lambda text: f"{text}\np, fund/reads, insurance_fund, document:read, always, allow\n",
        )
        assert told(matrix, "normal", "insurance_fund", "none", "report") == "yes fund"
        assert told(matrix, "break_glass", "insurance_fund", "none", "report") == "no emergency-scope"

    def test_a_matrix_that_does_not_count(self, tmp_path: Path) -> None:
        """Types that all have one answer by one rule are told once, and rest on no placeholder."""
        matrix = changed(
            tmp_path,
            "rules/40-documents.csv",
            lambda text: text.replace("showing, !habilitated & !author, deny", "showing, blocked, deny"),
        )
        found = cell(matrix, "normal", "social_worker", "granted", "report")
        assert [(ruling.allowed, ruling.rule, len(ruling.types)) for ruling in found.rulings] == [(True, "granted", 40)]
        assert not cell(matrix, "normal", "nurse", "granted", "imaging").assumed


class TestMerging:
    """Rows are told together only where that takes nothing away."""

    @pytest.mark.parametrize("mode", Mode)
    def test_everybody_is_told_once(self, matrix: Matrix, mode: Mode) -> None:
        """In one merged row."""
        found = Counter(asker for row in merged(matrix.content.tables[mode]) for asker in row.called.askers)
        assert found == Counter(ASKERS)

    @pytest.mark.parametrize("mode", Mode)
    def test_a_merged_cell_says_what_each_of_its_cells_says(self, matrix: Matrix, mode: Mode) -> None:
        """The same answer, the same open types by the same rules; its refusals are theirs."""
        rows = {row.asker: row for row in matrix.content.tables[mode]}
        for together in merged(rows.values()):
            for category, each in together.cells.items():
                members = [rows[asker].cells[category] for asker in together.called.askers]
                assert {member.answer for member in members} == {each.cell.answer}
                assert {member.assumed for member in members} == {each.cell.assumed}
                assert {member.open for member in members} == {each.cell.open}
                assert {member.rules(allowed=True) for member in members} == {each.permissions}
                assert {rule for member in members for rule in member.rules(allowed=False)} == set(each.refusals)

    def test_closed_rows_of_many_professions_are_one(self, matrix: Matrix) -> None:
        """Without a tie no health professional reads, whichever the types that the matrix would open."""
        (row,) = [
            row
            for row in merged(matrix.content.tables[Mode.NORMAL])
            if any((asker.who, asker.tie) == ("nurse", "none") for asker in row.called.askers)
        ]
        assert (row.called.tie.en, [name.en for name in row.called.names]) == (
            "emergency call regulator or no tie",
            ["every health profession"],
        )
        assert row.cells[Category.IMAGING].refusals == ("not-permitted", "not-habilitated")


class TestForMachines:
    """CSV and JSON hold every cell."""

    def test_csv_has_one_line_for_each_combination(self, matrix: Matrix) -> None:
        """Of mode, asker and category, and no other."""
        rows = list(csv.DictReader(StringIO(matrix.csv()), strict=True))
        found = Counter((row["mode"], row["who"], row["tie"], row["category"]) for row in rows)
        expected = Counter(
            (mode.value, asker.who, asker.tie, category.value)
            for mode in Mode
            for asker in ASKERS
            for category in Category
        )
        assert found == expected
        assert (len(found), max(found.values())) == (3 * 110 * 11, 1)

    def test_csv_tells_all_of_a_cell(self, matrix: Matrix) -> None:
        """With the types that are closed, and the mark."""
        lines = matrix.csv().splitlines()
        assert lines[0].split(",") == list(COLUMNS)
        assert "normal,person,holder,imaging,yes,holder,3,3,,,no" in lines
        assert "normal,nurse,care_team,report,partial,care-team,38,40,not-habilitated,68817-6 83901-9,no" in lines
        assert "normal,nurse,granted,imaging,yes,granted,3,3,,,yes" in lines

    def test_json_tells_the_same(self, engine: Engine) -> None:
        """Under names that stay."""
        data = matrix_of(engine, modes=[Mode.CENTRE_15]).data()
        assert (data["revision"], data["action"]) == (engine.revision, "document:read")
        assert data["habilitations"] == {"assumed": 213, "sourced": 51, "suspended": 6}
        assert len(data["cells"]) == 110 * 11
        assert {
            "mode": "centre_15",
            "who": "physician",
            "tie": "samu_regulator",
            "category": "administrative",
            "answer": "partial",
            "rule": "centre-15",
            "open": 11,
            "types": 12,
            "other_rule": "not-habilitated",
            "other_types": ["ATTEST-RESID"],
            "assumed": False,
        } in data["cells"]
        assert {
            "persona": "centre_15",
            "mode": "centre_15",
            "circumstance": "blocked",
            "answer": "no",
            "rule": "blocked",
        } in data["circumstances"]
        assert Counter(each["answer"] for each in data["circumstances"]) == {"yes": 4, "no": 5}

    def test_every_rule_is_in_the_register(self, matrix: Matrix, engine: Engine) -> None:
        """With the effect that the answer has."""
        effects = {rule: reason.effect for rule, reason in engine.register.reasons.items()}
        rulings = {
            (ruling.rule, "allow" if ruling.allowed else "deny")
            for table in matrix.content.tables.values()
            for row in table
            for each in row.cells.values()
            for ruling in each.rulings
        }
        assert rulings <= set(effects.items())

    def test_it_always_passes(self, matrix: Matrix) -> None:
        """It shows, and judges nothing."""
        assert matrix.passed
