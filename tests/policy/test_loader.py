"""What the loader refuses, each with its file, its line and a clear sentence."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from models.vocabulary import Action
from policy.conditions import Condition
from policy.errors import PolicyFileError
from policy.loader import load
from policy.words import Fact, Role
from tests.policy.folders import copy_of_the_policy, rewrite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged policy, to be spoilt."""
    return copy_of_the_policy(tmp_path)


def refusal(folder: Path) -> tuple[str, int | None, str]:
    """The file, the line and the fault with which a folder is refused."""
    with pytest.raises(PolicyFileError) as refused:
        load(folder)
    error = refused.value
    name = str(error.file.relative_to(folder))
    where = f"{error.file}" if error.line is None else f"{error.file}:{error.line}"
    assert str(error) == f"{where}: {error.fault}"
    return name, error.line, error.fault


def test_the_packaged_policy_is_loaded(folder: Path) -> None:
    """And its copy is the same to the last digit."""
    assert load().revision == load(folder).revision


class TestRows:
    """A row that is not what it must be; each stands alone in a chapter of its own."""

    @pytest.mark.parametrize(
        "row, fault",
        [
            (
                "p, masked/new, professional, document:read, masked, denny",
                "'denny' is no known effect; did you mean deny?",
            ),
            ("p, masked/new, professional, document:read, masked, ALLOW", "'ALLOW' is no known effect"),
            (
                "p, masked/new, profesional, document:read, masked, deny",
                "'profesional' is no known role or group of roles; did you mean professional?",
            ),
            (
                "p, masked/new, professional, document:raed, masked, deny",
                "'document:raed' is no known action or group of actions; did you mean document:read?",
            ),
            (
                "p, masked/new, professional, document:read, maskd & !author, deny",
                "'maskd' is no known fact; did you mean masked?",
            ),
            ("p, masked/new, professional, document:read, , deny", "cell 4 behind p is empty"),
            ("p, masked/new, professional, document:read, masked &, deny", "'' is no known fact"),
            (
                "p, masked/new, professional, document:read, ! masked, deny",
                "' masked' is no known fact; did you mean masked?",
            ),
            (
                "p, masked/new, professional, document:read, !!masked, deny",
                "'!masked' is no known fact; did you mean masked?",
            ),
            (
                "p, masked/new, professional, document:read, masked | blocked, deny",
                "'masked | blocked' is no known fact",
            ),
            (
                "p, masked/new, professional, document:read, masked & masked, deny",
                "masked stands twice in the condition",
            ),
            (
                "p, masked/new, professional, document:read, masked & !masked, deny",
                "masked stands twice in the condition",
            ),
            ("p, masked/new, professional, document:read, always & masked, deny", "'always' is no known fact"),
            ("p, masked/new, professional, document:read, masked", "has 4 cells behind p, not 5"),
            ("p, masked/new, professional, document:read, masked, deny, why", "has 6 cells behind p, not 5"),
            (
                "p, masked/new, professional, document:read, masked, deny # why",
                "a comment stands behind data: give it a line of its own, above",
            ),
            (
                'p, masked/new, "professional", document:read, masked, deny',
                "holds a quote: words are written without any",
            ),
            (" p, masked/new, professional, document:read, masked, deny", "begins or ends with blanks"),
            ("p, masked/new, professional, document:read, masked, deny ", "begins or ends with blanks"),
            (
                "p,\tmasked/new, professional, document:read, masked, deny",
                "holds a character that does not print: '\\t'",
            ),
            (
                "p, masked/new, professional, document:read, masked,\u00a0deny",
                "holds a character that does not print: '\\xa0'",
            ),
            (
                "p, masked/new, professional, document:read, masked, deny\r",
                "holds a carriage return: save it with Unix line ends",
            ),
            ("q, masked/new, professional, document:read, masked, deny", "'q' is no known type of row"),
            (
                "p3, masked/new, professional, document:read, masked, deny",
                "'p3' is no known type of row; did you mean p?",
            ),
            ("masked", "'masked' is no known type of row"),
            (
                "p, maskd, professional, document:read, masked, deny",
                "'maskd' is no known rule of reasons.csv; did you mean masked?",
            ),
            (
                "p, masked/, professional, document:read, masked, deny",
                "'masked/' is no row id: <rule> or <rule>/<word>",
            ),
            (
                "p, masked/A b, professional, document:read, masked, deny",
                "'masked/A b' is no row id: <rule> or <rule>/<word>",
            ),
            (
                "p, masked/a/b, professional, document:read, masked, deny",
                "'masked/a/b' is no row id: <rule> or <rule>/<word>",
            ),
            (
                "p, not-permitted, professional, document:read, masked, deny",
                "not-permitted decides where no row does: it has none",
            ),
            (
                "p, cannot-judge, professional, document:read, masked, deny",
                "cannot-judge decides where no row does: it has none",
            ),
            (
                "p, masked/new, professional, document:read, masked, allow",
                "masked is registered in reasons.csv with the effect deny",
            ),
            (
                "p, granted/new, professional, document:read, granted, deny",
                "granted is registered in reasons.csv with the effect allow",
            ),
            (
                "p, masked/new, person, document:read, habilitated, deny",
                "can never apply: person, document:read and habilitated do not meet",
            ),
            (
                "p, masked/new, professional, document:list, masked, deny",
                "can never apply: professional, document:list and masked do not meet",
            ),
            (
                "p, masked/new, professional, document:read, break_glass & normal, deny",
                "can never apply: professional, document:read and normal & break_glass do not meet",
            ),
            (
                "p, masked/new, social_professional, document:read, treating_physician, deny",
                "can never apply: social_professional, document:read and treating_physician do not meet",
            ),
            (
                "p, masked/new, unknown, document:read, always, deny",
                "can never apply: unknown, document:read and always do not meet",
            ),
            (
                "p, masked/new, professional, none, always, deny",
                "can never apply: professional, none and always do not meet",
            ),
            (
                "p, masked/new, person, document:read, !holder & !caregiver & !legal_representative, deny",
                "can never apply: person, document:read and !holder & !legal_representative & !caregiver do not meet",
            ),
            (
                "p2, write_dwon, anyone, document:read, always, any_rule",
                "'write_dwon' is no known obligation; did you mean write_down?",
            ),
            ("p2, write_down/new, anyone, document:read, always, any", "'any' is no known permission of reasons.csv"),
            (
                "p2, write_down/new, anyone, document:read, always, masked",
                "'masked' is no known permission of reasons.csv",
            ),
            ("p2, write_down/new, anyone, document:read, always", "has 4 cells behind p2, not 5"),
            ("g, nurse, professional", "'nurse' is no known role or group of roles"),
            ("g, physician, health_professional", "physician is in health_professional already on line 7"),
            ("g, physician, bank", "'bank' cannot name a group"),
            ("g, physician, always", "'always' cannot name a group"),
            ("g, physician, Carers", "'Carers' cannot name a group"),
            ("g, physician, the carers", "'the carers' cannot name a group"),
            ("g, carers, carers", "the group carers contains itself"),
            ("g, document:read, health_professional", "'document:read' is no known role or group of roles"),
            (
                "g2, document:raed, reading",
                "'document:raed' is no known action or group of actions; did you mean document:read?",
            ),
            ("g2, physician, reading", "'physician' is no known action or group of actions"),
            ("g, physician", "has 1 cells behind g, not 2"),
            ("g, physician, carers, domain", "has 3 cells behind g, not 2"),
        ],
    )
    def test_a_row_that_is_not_what_it_must_be(self, folder: Path, row: str, fault: str) -> None:
        """It is refused where it stands."""
        (folder / "rules" / "99-new.csv").write_bytes(f"# New.\n\n{row}\n".encode())
        name, line, told = refusal(folder)
        assert told == fault
        assert (name, line) == ("rules/99-new.csv", 3)

    def test_a_row_id_stands_once(self, folder: Path) -> None:
        """Also in another chapter; the first place is told."""
        (folder / "rules" / "99-new.csv").write_text(
            "p, blocked, professional, document:read, masked, deny\n", encoding="utf-8"
        )
        assert refusal(folder) == (
            "rules/99-new.csv",
            1,
            "the row id blocked stands already in 20-parties.csv, line 10",
        )

    def test_groups_do_not_go_round(self, folder: Path) -> None:
        """Nor through each other."""
        rows = "g, bank, lenders\ng, carers, lenders\ng, lenders, carers\n"
        (folder / "rules" / "99-new.csv").write_text(rows, encoding="utf-8")
        assert refusal(folder) == ("rules/99-new.csv", 3, "the group lenders contains itself")

    def test_groups_are_not_nested_beyond_what_casbin_follows(self, folder: Path) -> None:
        """Casbin would deny without a word."""
        names = ["physician", *(f"level_{'abcdefghij'[depth]}" for depth in range(10))]
        rows = "".join(f"g, {member}, {group}\n" for member, group in pairwise(names))
        (folder / "rules" / "99-new.csv").write_text(rows, encoding="utf-8")
        expected = ("rules/99-new.csv", 2, "the group level_a is nested more than 9 groups deep")
        assert refusal(folder) == expected
        (folder / "rules" / "99-new.csv").write_text(rows.rpartition("g, ")[0], encoding="utf-8")
        assert load(folder).roles.members["level_i"] == {"physician"}


BOM = "begins with a byte-order mark: save it as UTF-8 without BOM"


class TestFiles:
    """Files that are not what they must be."""

    CHAPTER = "rules/20-parties.csv"

    @pytest.mark.parametrize("name", [CHAPTER, "reasons.csv", "habilitations.csv", "model.conf"])
    @pytest.mark.parametrize(
        "spoilt, line, fault",
        [
            (lambda content: b"\xef\xbb\xbf" + content, 1, BOM),
            (lambda content: b"# \xe9\n" + content, 1, "is not UTF-8 text"),
            (lambda content: b"#\r\n" + content, 1, "holds a carriage return: save it with Unix line ends"),
            (lambda content: b"#\n# \x00\n" + content, 2, "holds a character that does not print: '\\x00'"),
            (lambda _: b"", None, "holds nothing"),
            (lambda _: b"# nothing\n\n  \n", None, "holds nothing"),
        ],
        ids=["mark", "latin", "windows", "nul", "empty", "comments"],
    )
    def test_a_text_that_could_be_misread(
        self, folder: Path, name: str, spoilt: Callable[[bytes], bytes], line: int | None, fault: str
    ) -> None:
        """Of any of the files."""
        file = folder / name
        file.write_bytes(spoilt(file.read_bytes()))
        assert refusal(folder) == (name, line, fault)

    @pytest.mark.parametrize("name", ["reasons.csv", "habilitations.csv", "model.conf"])
    def test_a_file_that_is_missing(self, folder: Path, name: str) -> None:
        """Nothing is loaded without it."""
        (folder / name).unlink()
        assert refusal(folder) == (name, None, "cannot be read: No such file or directory")

    def test_the_folder_of_rules_is_needed(self, folder: Path) -> None:
        """And needs a chapter."""
        (folder / "rules").rename(folder / "rows")
        assert refusal(folder) == ("rules", None, "cannot be read: No such file or directory")
        (folder / "rules").mkdir()
        (folder / "rules" / ".hidden").touch()
        assert refusal(folder) == ("rules", None, "holds no .csv file")

    @pytest.mark.parametrize("name", ["20-parties.cvs", "20-parties.csv~", "20-PARTIES.CSV", "notes.txt"])
    def test_a_file_that_would_not_be_read_is_refused(self, folder: Path, name: str) -> None:
        """A chapter whose name is misspelt would be a refusal lost."""
        (folder / "rules" / name).touch()
        fault = "is not a .csv file, and nothing else may stand beside the rules"
        assert refusal(folder) == (f"rules/{name}", None, fault)

    def test_a_folder_is_no_chapter(self, folder: Path) -> None:
        """Whatever its name."""
        (folder / "rules" / "old.csv").mkdir()
        fault = "cannot be read: Is a directory"
        assert refusal(folder) == ("rules/old.csv", None, fault)

    def test_a_rule_of_the_register_has_rows(self, folder: Path) -> None:
        """A refusal that lost its row is a refusal lost."""
        rewrite(folder / "rules" / "40-documents.csv", lambda text: text.replace("p, masked,", "# p, masked,"))
        assert refusal(folder) == ("rules", None, "no row for the rule masked")

    def test_an_obligation_has_rows(self, folder: Path) -> None:
        """So has what is asked in return."""
        rewrite(
            folder / "rules" / "80-obligations.csv", lambda text: text.replace("p2, write_down", "# p2, write_down")
        )
        assert refusal(folder) == ("rules", None, "no row for the obligation write_down")


EFFECT = "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))"


class TestModel:
    """Casbin's definitions cannot be changed by a policy folder."""

    @pytest.mark.parametrize(
        "before, after, line, fault",
        [
            (EFFECT.partition(" && ")[2], "some(where (p.eft == allow))", 22, f"must be: {EFFECT}"),
            ("p = id,", "p = rule,", 11, "must be: p = id, who, action, condition, eft"),
            ("[matchers]", "[matcher]", 24, "must be: [matchers]"),
            ("g2 = _, _", "g2 = _, _\ng3 = _, _", 19, "must be: [policy_effect]"),
        ],
    )
    def test_another_definition_is_refused(self, folder: Path, before: str, after: str, line: int, fault: str) -> None:
        """At the first line that differs."""
        rewrite(folder / "model.conf", lambda text: text.replace(before, after))
        assert refusal(folder) == ("model.conf", line, fault)

    def test_a_definition_too_many_is_refused(self, folder: Path) -> None:
        """Behind the last one."""
        rewrite(folder / "model.conf", lambda text: text + "m3 = true\n")
        assert refusal(folder) == ("model.conf", 27, "is a definition too many")

    def test_a_definition_too_few_is_refused(self, folder: Path) -> None:
        """The missing one is told."""
        rewrite(folder / "model.conf", lambda text: text[: text.index("[matchers]")])
        assert refusal(folder) == ("model.conf", None, "ends before: [matchers]")

    def test_comments_and_blanks_may_differ(self, folder: Path) -> None:
        """They mean nothing."""
        rewrite(folder / "model.conf", lambda text: "# Ours.\n" + text.replace("g = _, _", "g  =  _, _"))
        assert load(folder).revision == load().revision


class TestTables:
    """The register and the matrix."""

    @pytest.mark.parametrize(
        "row, fault",
        [
            ("new-rule,forbid,Non.,No.", "'forbid' is no known effect"),
            ("New rule,deny,Non.,No.", "'New rule' is no rule id: lower-case words joined by hyphens"),
            ("new--rule,deny,Non.,No.", "'new--rule' is no rule id: lower-case words joined by hyphens"),
            ("masked,deny,Non.,No.", "masked is in the register already"),
            ("new-rule,deny,Non.", "has 3 cells, not 4"),
            ("new-rule,deny,,No.", "fr is empty or has blanks around it"),
            ("new-rule,deny,Non., No.", "en is empty or has blanks around it"),
            ('new-rule,deny,"Non.,No.', "is not a row of a table: unexpected end of data"),
        ],
    )
    def test_a_row_of_the_register_that_is_not_what_it_must_be(self, folder: Path, row: str, fault: str) -> None:
        """Each is refused where it stands."""
        register = folder / "reasons.csv"
        rewrite(register, lambda text: f"{text}{row}\n")
        last = len(register.read_text(encoding="utf-8").splitlines())
        assert refusal(folder) == ("reasons.csv", last, fault)

    def test_a_rule_without_rows_is_refused(self, folder: Path) -> None:
        """It would never be answered."""
        rewrite(folder / "reasons.csv", lambda text: text + "new-rule,deny,Non.,No.\n")
        assert refusal(folder) == ("rules", None, "no row for the rule new-rule")

    @pytest.mark.parametrize("rule", ["not-permitted", "cannot-judge"])
    def test_what_decides_without_rows_is_registered(self, folder: Path, rule: str) -> None:
        """As a refusal."""
        register = folder / "reasons.csv"
        lines = register.read_text(encoding="utf-8").splitlines(keepends=True)
        (place,) = (number for number, line in enumerate(lines, start=1) if line.startswith(rule))
        rewrite(register, lambda text: text.replace(f"{rule},deny", f"{rule},allow"))
        assert refusal(folder) == ("reasons.csv", place, f"{rule} can only deny")
        register.write_text("".join(line for line in lines if not line.startswith(rule)), encoding="utf-8")
        assert refusal(folder) == ("reasons.csv", None, f"the rule {rule} is missing")

    @pytest.mark.parametrize(
        "row, fault",
        [
            ("phisician,report,deny,sourced", "'phisician' is no known profession; did you mean physician?"),
            ("physician,reports,deny,sourced", "'reports' is no known document type or category; did you mean report?"),
            (
                "physician,11488-5,deny,sourced",
                "'11488-5' is no known document type or category; did you mean 11488-4?",
            ),
            ("physician,11488-4,refuse,sourced", "'refuse' is no known effect"),
            ("physician,11488-4,deny,guessed", "'guessed' is no known status"),
            ("physician,11488-4,deny", "has 3 cells, not 4"),
            ("physician,11488-4,deny,sourced,", "has 5 cells, not 4"),
            ("physician,11488-4,deny,", "status is empty or has blanks around it"),
        ],
    )
    def test_a_row_of_the_matrix_that_is_not_what_it_must_be(self, folder: Path, row: str, fault: str) -> None:
        """Each is refused where it stands."""
        header = "profession,scope,effect,status\n"
        rewrite(folder / "habilitations.csv", lambda text: text.replace(header, f"{header}{row}\n"))
        assert refusal(folder) == ("habilitations.csv", 2, fault)

    def test_the_matrix_says_everything_once(self, folder: Path) -> None:
        """Two rows for the same profession and scope would leave it to their order."""
        rewrite(folder / "habilitations.csv", lambda text: text + "physician,report,deny,suspended\n")
        fault = "physician and report stand together already on line 2"
        assert refusal(folder) == ("habilitations.csv", 272, fault)

    @pytest.mark.parametrize(
        "name, header", [("reasons.csv", "rule,effect,fr,en"), ("habilitations.csv", "profession,scope,effect,status")]
    )
    def test_a_table_has_its_header_and_rows(self, folder: Path, name: str, header: str) -> None:
        """In the order of its columns."""
        (folder / name).write_text("# Ours.\nsomething,else\n", encoding="utf-8")
        assert refusal(folder) == (name, 2, f"the header must be {header}")
        (folder / name).write_text(f"{header}\n", encoding="utf-8")
        assert refusal(folder) == (name, None, "holds no row under its header")

    @pytest.mark.parametrize(
        "rows, opened",
        [
            ("nurse,report,allow,assumed", True),
            ("nurse,report,allow,suspended", False),
            ("nurse,report,deny,sourced", False),
            ("nurse,report,allow,sourced\nnurse,11488-4,deny,sourced", False),
            ("nurse,report,deny,sourced\nnurse,11488-4,allow,sourced", True),
            ("nurse,report,allow,sourced\nnurse,11488-4,deny,suspended", True),
            ("nurse,summary,allow,sourced", False),
            ("physician,report,allow,sourced", False),
        ],
    )
    def test_the_exact_type_decides_then_the_category_then_no(self, folder: Path, rows: str, *, opened: bool) -> None:
        """And what is suspended does not count (RULES §1)."""
        text = f"profession,scope,effect,status\n{rows}\n"
        (folder / "habilitations.csv").write_text(text, encoding="utf-8")
        assert load(folder).habilitations.opens("nurse", "11488-4") is opened


class TestRevision:
    """The digest says whether two rule sets are the same."""

    def test_it_is_a_sha_256(self) -> None:
        """In hexadecimal."""
        revision = load().revision
        assert len(revision) == 64
        assert int(revision, 16) >= 0

    def test_order_comments_and_files_count_for_nothing(self, folder: Path) -> None:
        """Nor do blanks, nor the order of facts in a condition."""
        rows = []
        for file in sorted((folder / "rules").iterdir(), reverse=True):
            rows += [row for row in file.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
            file.unlink()
        text = "\n".join(f"# {number}\n{row.replace(', ', ',')}" for number, row in enumerate(reversed(rows)))
        written = text.replace("normal & granted", "granted & normal")
        assert written != text
        (folder / "rules" / "all.csv").write_text(written, encoding="utf-8")
        assert load(folder).revision == load().revision

    @pytest.mark.parametrize(
        "name, before, after",
        [
            ("rules/40-documents.csv", " & !emergency_lifts_mask", ""),
            ("rules/80-obligations.csv", "!has_read", "always"),
            ("rules/00-words.csv", "g2, document:reveal, showing\n", ""),
            ("rules/00-words.csv", "g, bank, prohibited_party\n", ""),
            ("habilitations.csv", "physician,report,allow,sourced", "physician,report,allow,assumed"),
            ("reasons.csv", "There is no dossier.", "No dossier."),
        ],
    )
    def test_any_change_is_seen(self, folder: Path, name: str, before: str, after: str) -> None:
        """Of a rule, an obligation, a group, the matrix or a sentence."""
        rewrite(folder / name, lambda text: text.replace(before, after, 1))
        assert load(folder).revision != load().revision

    def test_the_order_of_the_register_is_seen(self, folder: Path) -> None:
        """It is the order of precedence."""
        lines = (folder / "reasons.csv").read_text(encoding="utf-8").splitlines()
        text = "\n".join([lines[0], lines[2], lines[1], *lines[3:]])
        (folder / "reasons.csv").write_text(text, encoding="utf-8")
        assert load(folder).revision != load().revision


def test_a_row_keeps_where_it_stands() -> None:
    """So that reviewers find it; and is read to the letter."""
    (rule,) = (rule for rule in load().rules if rule.id == "holder/contest")
    assert (rule.name, rule.who, rule.action, rule.effect) == ("holder", "person", "document:contest", "allow")
    assert rule.condition == Condition(frozenset({Fact.HOLDER}), frozenset({Fact.AUTHOR}))
    assert (rule.file.name, rule.line) == ("60-patient.csv", 9)


def test_groups_are_worked_out() -> None:
    """Down to the words; a word includes itself."""
    rules = load()
    assert rules.roles.members["health_professional"] == {Role.PHYSICIAN, Role.OTHER_HEALTH_PROFESSIONAL}
    assert rules.roles.includes("bank", Role.BANK)
    assert rules.actions.includes("reading", Action.DOCUMENT_READ)
    assert not rules.actions.includes("reading", Action.DOCUMENT_MASK)
