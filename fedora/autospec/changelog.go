package autospec

import (
	"fmt"
	"strings"

	"specgraft/overlay/diag"
)

// A changelogEntry is one entry of a changelog, or a whole changelog file.
type changelogEntry struct {
	*commit
	epochVersion string
	complete     string
	problem      string // shown in place of the message

	isData bool // data stands for the entry and all older ones
	data   []byte
}

// text formats the entry without a final line ending.
func (e *changelogEntry) text() (string, error) {
	if e.isData {
		return decodeUTF8(string(e.data)), nil
	}
	decode, err := decoder(e.encoding)
	if err != nil {
		return "", badCommit(e.commit, err)
	}
	user, err := parseIdent(e.author)
	if err != nil {
		return "", badCommit(e.commit, err)
	}
	message := e.message
	for _, s := range []*string{&user.Name, &user.Email, &message} {
		if *s, err = decode(*s); err != nil {
			return "", badCommit(e.commit, err)
		}
	}
	items := []string{"RPMAUTOSPEC: " + e.problem}
	if e.problem == "" {
		items = changelogItems(message)
	}
	text, err := formatEntry(e.time, user, e.epochVersion, e.complete, items)
	if err != nil {
		return "", badCommit(e.commit, err)
	}
	return text, nil
}

// formatEntry puts an entry together: the heading, and each item wrapped on
// its own.
func formatEntry(seconds int64, user User, epochVersion, complete string, items []string) (string, error) {
	date, err := changelogDate(seconds)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "* %s %s <%s>", date, user.Name, user.Email)
	if epochVersion != "" {
		fmt.Fprintf(&b, " - %s-%s", epochVersion, complete)
	}
	for _, item := range items {
		for _, line := range wrap("- " + item) {
			b.WriteByte('\n')
			b.WriteString(line)
		}
	}
	return b.String(), nil
}

// magic reads the magic lines of a commit's message.
func (c *commit) magic() (magic, error) {
	decode, err := decoder(c.encoding)
	if err != nil {
		return magic{}, badCommit(c, err)
	}
	message, err := decode(c.message)
	if err != nil {
		return magic{}, badCommit(c, err)
	}
	m, err := parseMagic(message)
	if err != nil {
		return m, &diag.Diagnostic{Code: "autospec/bad-bump", Message: fmt.Sprintf("%s: %v", c.label(), err)}
	}
	return m, nil
}

func badCommit(c *commit, err error) error {
	return &diag.Diagnostic{Code: "autospec/bad-commit", Message: fmt.Sprintf("%s: %v", c.label(), err)}
}
