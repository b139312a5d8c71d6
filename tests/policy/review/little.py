"""A little folder of cases, small enough to be read beside the tests that change it: three personas, two documents."""

from pathlib import Path

from tests.policy.folders import copy_of_the_policy

_FILES = {
    "circumstances.csv": """\
circumstance,facts,what
ordinary,normal,The dossier is open
break-glass,break_glass reasoned,A professional breaks the glass
""",
    "personas.csv": """\
persona,role,facts,who
holder,person,holder,The patient
nurse,other_health_professional,in_care_team care_team_consent strong_authentication,A nurse of the care team
hospital,health_facility,-,A hospital
""",
    "documents.csv": """\
document,facts,what
report,habilitated,a report
masked,habilitated masked,a masked report
""",
    "to-be-deposited.csv": """\
document,facts,what
new-report,known_document_type,a new report
""",
    "groups.csv": """\
of,group,members
personas,carers,nurse hospital
actions,reading,document:list document:read
""",
    "on-dossiers.csv": """\
circumstances,personas,rule,actions
ordinary,holder,holder,all but dossier:open dossier:suspend message:send message:read
ordinary,carers,exists,dossier:exists
ordinary,carers,own-trace,journal:read
ordinary,nurse,care-team,document:list message:send
break-glass,nurse,break-glass,document:list
""",
    "on-documents.csv": """\
circumstances,personas,documents,rule,actions
ordinary,holder,all,holder,document:read document:mask document:unmask document:contest
ordinary,nurse,report,care-team,document:read document:reveal
break-glass,nurse,report,break-glass,document:read
""",
    "deposits.csv": """\
circumstances,personas,documents,rule
ordinary,carers,new-report,depositor
""",
    "refusals.csv": """\
rule,circumstances,personas,documents,actions
already-open,all,all,-,dossier:open
emergency-scope,break-glass,holder hospital,all,all
emergency-scope,break-glass,nurse,all,all but reading
masked,all,nurse,masked,document:read document:mask document:reveal
archived,all,all,all,document:restore
""",
    "obligations.csv": """\
obligation,circumstances,personas,documents,actions,history
notify_patient,ordinary,nurse,all,reading,first
notify_patient,break-glass,nurse,all,reading,all
notify_treating_physicians,break-glass,nurse,all,reading,all
own_entries_only,ordinary,carers,-,journal:read,all
write_down,all,all,all,all but dossier:exists,all
""",
    "questions.csv": """\
facts,refused_by,what
no_document,no-document,A document that does not exist
""",
    "examples.csv": """\
circumstance,persona,document,action,refused_by
break-glass,nurse,masked,document:mask,emergency-scope masked
""",
}


def little_cases(folder: Path) -> Path:
    """A new folder `cases` with what stands above; gives that folder."""
    cases = folder / "cases"
    cases.mkdir()
    for name, text in _FILES.items():
        (cases / name).write_text(text, encoding="utf-8")
    return cases


def policy_with_little_cases(folder: Path) -> Path:
    """The packaged policy with the little cases instead of its own; gives its folder."""
    copy_of_the_policy(folder)
    little_cases(folder)
    return folder
