package autospec

import (
	"context"
	"fmt"

	"specgraft/overlay/diag"
)

func process(in *Input) (*Result, error) {
	lines, final := splitLines(in.Spec)
	u := detect(lines)
	r := &Result{Keep: len(lines)}
	if u.processed || !u.autorelease && !u.needsChangelog() {
		return r, nil
	}
	if (in.Graph == nil || in.Dirty) && u.needsChangelog() && in.Now.IsZero() {
		return nil, &diag.Diagnostic{Code: "autospec/no-date", Message: "the entry for uncommitted changes has no date",
			Hint: "commit the spec, or give the date with --now TIME"}
	}
	var entries *entryList
	var err error
	if in.Graph == nil {
		entries, err = r.untracked(in)
	} else {
		entries, err = r.tracked(in, u.needsChangelog())
	}
	if err != nil {
		return nil, err
	}
	var texts []string
	if !u.needsChangelog() {
		for i := range r.Commits {
			r.Commits[i].Entries = nil
		}
	} else {
		for e := entries; e != nil; e = e.next {
			text, err := e.text()
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
	}
	r.plan(u, lines, final, in.ToolVersion, texts)
	return r, nil
}

// untracked handles a spec that is not in git: release 1 and one entry.
func (r *Result) untracked(in *Input) (*entryList, error) {
	user := in.User
	if user == (User{}) {
		user = PackagerUser
	}
	return r.uncommitted(in, 1, "", user, nil)
}

// tracked walks the history, and puts an entry for a dirty work tree on top.
func (r *Result) tracked(in *Input, needChangelog bool) (*entryList, error) {
	w := &walk{g: in.Graph, ev: in.Evaluator, needChangelog: needChangelog}
	if err := w.run(in.Dirty && in.ChangelogRemoved); err != nil {
		return nil, err
	}
	head := w.nodes[0]
	if !in.Dirty && head.facts.Error != "" && !in.NoErrorOnUnparseable {
		return nil, rejected(*head.facts, head.label())
	}
	for _, n := range w.nodes {
		if n.done {
			c := n.facts.about(n.result.number)
			c.ID, c.Entries = n.id, new(n.result.entries.length())
			r.Commits = append(r.Commits, c)
		}
	}
	r.Release = head.result.number
	if !in.Dirty {
		return head.result.entries, nil
	}
	user := in.User
	if user == (User{}) {
		user = UnknownUser
	}
	return r.uncommitted(in, head.result.number+1, head.facts.EpochVersion, user, head.result.entries)
}

// uncommitted adds the entry for a work tree that differs from HEAD. Its number is
// next if the version is still previous; an empty previous version means that
// there is none to compare with, when older is nil too.
func (r *Result) uncommitted(in *Input, next int64, previous string, user User, older *entryList) (*entryList, error) {
	files := in.Files
	if files == nil {
		files = &emptyFS{}
	}
	f := in.Evaluator.Eval(in.Name+".spec", in.Spec, files)
	if f.Error == errStopped {
		return nil, context.Canceled
	}
	if f.Unknown {
		return nil, &diag.Diagnostic{Code: "autospec/unknown-version", Message: "the spec in the work tree: " + f.Reason,
			Hint: "release numbers and changelog entries depend on it; write the value into the spec"}
	}
	if f.Error != "" && !in.NoErrorOnUnparseable {
		return nil, rejected(f, "the spec in the work tree")
	}
	r.Release = 1
	if f.EpochVersion != "" && f.EpochVersion == previous {
		r.Release = next
	}
	e := changelogEntry{
		commit:       &commit{author: user.Name + " <" + user.Email + ">", time: in.Now.Unix(), message: "Uncommitted changes"},
		epochVersion: f.EpochVersion,
	}
	c := f.about(r.Release)
	c.Entries = new(older.length() + 1)
	e.complete = c.Complete
	r.Commits = append([]CommitFacts{c}, r.Commits...)
	return cons(e, older), nil
}

// about turns facts into what is reported about a commit.
func (f Facts) about(number int64) CommitFacts {
	c := CommitFacts{EpochVersion: f.EpochVersion, Release: number, Error: f.Error, Reason: f.Reason}
	flags := Flags{Base: 1}
	if f.Error == "" {
		flags = f.Flags
		c.Flags = &flags
	}
	c.Complete = flags.complete(number)
	return c
}

func rejected(f Facts, where string) error {
	d := &diag.Diagnostic{Code: "autospec/spec-rejected", Message: fmt.Sprintf("%s: rpm would reject it: %s", where, f.Reason),
		Hint: "rpmautospec refuses such a spec, too; repair it at that place"}
	if f.Error == ErrMissing {
		d.Code, d.Message = "autospec/spec-missing", where+": "+f.Reason
		d.Hint = "commit the spec first"
	}
	return d
}

// CalculateRelease returns what "rpmautospec calculate-release" prints with
// --complete-release: the release of HEAD without a dist tag. Changelog and work
// tree are not looked at, and neither is in.Spec.
func CalculateRelease(in Input) (string, error) {
	w := &walk{g: in.Graph, ev: in.Evaluator}
	if err := w.run(false); err != nil {
		return "", err
	}
	head := w.nodes[0]
	if head.facts.Error != "" && !in.NoErrorOnUnparseable {
		return "", rejected(*head.facts, head.label())
	}
	return head.complete(), nil
}
