# The facts are in memory (`data.record`), and the caller names the subject and a document, documents, or a dossier.
package dmp.loaded

import data.dmp.rules

# As `input.document` names it, in whatever dossier it is.
allow := rules.shows(rules.opening(input.subject, data.record.dossiers[document.dossier]), document) if {
	document := data.record.documents[input.document]
}

# The dossier that `input.dossier` names, some of its documents, and all of them.
opening := rules.opening(input.subject, data.record.dossiers[input.dossier])

answers := [rules.shows(opening, data.record.documents[id]) | some id in input.documents]

listing := [id | some id in data.record.contents[input.dossier]; rules.shows(opening, data.record.documents[id])]
