package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// No function has more ways through it than maxComplexity; those that have more
// than readable say why in the table of complexity.
const (
	readable      = 20
	maxComplexity = 30
)

// TestComplexity counts the ways through each function: one, and one more for
// every condition, loop, case, && and ||.
func TestComplexity(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	known := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "testdata" && filepath.Dir(file) == root {
			return skipDir(err)
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, decl := range parsed.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name, ways := path.Clean(filepath.ToSlash(rel))+"."+functionName(fn), waysThrough(fn)
			reason, listed := complexity[name]
			known[name] = known[name] || ways > readable
			switch {
			case ways > maxComplexity:
				t.Errorf("%s has %d ways through it: split it into pieces that have names", name, ways)
			case ways > readable && (!listed || reason == ""):
				t.Errorf("%s has %d ways through it: split it, or say in the table why it reads best in one piece", name, ways)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range complexity {
		if !known[name] {
			t.Errorf("%s is in the table, and has no more than %d ways through it or is gone", name, readable)
		}
	}
}

// skipDir leaves a directory out, unless it could not be read.
func skipDir(err error) error {
	if err == nil {
		return fs.SkipDir
	}
	return err
}

// functionName is the name of a function, with its receiver as go doc writes it.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	kind, star := fn.Recv.List[0].Type, ""
	if p, ok := kind.(*ast.StarExpr); ok {
		kind, star = p.X, "*"
	}
	switch of := kind.(type) {
	case *ast.IndexExpr:
		kind = of.X
	case *ast.IndexListExpr:
		kind = of.X
	}
	return "(" + star + kind.(*ast.Ident).Name + ")." + fn.Name.Name
}

// waysThrough counts the ways through a function and the functions in it.
func waysThrough(fn *ast.FuncDecl) int {
	ways := 1
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			ways++
		case *ast.CaseClause:
			if n.List != nil {
				ways++
			}
		case *ast.CommClause:
			if n.Comm != nil {
				ways++
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				ways++
			}
		}
		return true
	})
	return ways
}

// complexity are the functions with more ways through them than are easy to read,
// and why each reads best in one piece.
var complexity = map[string]string{
	"cmd/specgraft/cli.harmless":                   "the classes of characters that a terminal obeys",
	"cmd/specgraft/config.(*importing).write":      "the steps of a run that may fail, with what is printed of each",
	"cmd/specgraft/upstream.fetchAll":              "the steps of a run that may fail, with what is printed of each",
	"cmd/specgraft/upstream.fetchComponent":        "the steps of a run that may fail, with what is printed of each",
	"cmd/specgraft/upstream.finishPins":            "the steps of a run that may fail, with what is printed of each",
	"cmd/specgraft/upstream.finishUpdate":          "the steps of a run that may fail, with what is printed of each",
	"cmd/specgraft/config.AddCmd":                  "flags of a command and their combinations that it refuses",
	"cmd/specgraft/config.NewCmd":                  "flags of a command and their combinations that it refuses",
	"cmd/specgraft/config.RetireCmd":               "flags of a command and their combinations that it refuses",
	"cmd/specgraft/effect.ListCmd":                 "flags of a command and their combinations that it refuses",
	"cmd/specgraft/effect.WhyCmd":                  "flags of a command and their combinations that it refuses",
	"cmd/specgraft/effect.blameTarget":             "flags of a command and their combinations that it refuses",
	"cmd/specgraft/rendering.AttestCmd":            "flags of a command and their combinations that it refuses",
	"cmd/specgraft/rendering.ChangedCmd":           "flags of a command and their combinations that it refuses",
	"cmd/specgraft/rendering.RenderCmd":            "flags of a command and their combinations that it refuses",
	"cmd/specgraft/specs.queryAll":                 "flags of a command and their combinations that it refuses",
	"cmd/specgraft/upstream.UpdateCmd":             "flags of a command and their combinations that it refuses",
	"components.(*Project).Select":                 "the ways to choose or find components, a case each",
	"components.(*Project).discover":               "the ways to choose or find components, a case each",
	"components.(*Project).checkArchives":          "the rules of the format on a table, a case each",
	"components/schema.(*Checker).Rule":            "the rules of the format on a table, a case each",
	"components/schema.(*Checker).table":           "the rules of the format on a table, a case each",
	"components/schema.typeHint":                   "the rules of the format on a table, a case each",
	"components.(*Project).item":                   "writes a table, a cell for each kind of entry",
	"components.(*View).Text":                      "writes a table, a cell for each kind of entry",
	"components/schema.(*reference).table":         "writes a table, a cell for each kind of entry",
	"render/review/lint.Table":                     "writes a table, a cell for each kind of entry",
	"components/edit.(*Editor).AddTable":           "the places in a text where something can be put",
	"components/edit.keyValue":                     "the places in a text where something can be put",
	"components/lock.(*Update).Write":              "the states that a file to be written can be in",
	"components/lock.planOne":                      "the states that a file to be written can be in",
	"components/pin.(*Update).Write":               "the states that a file to be written can be in",
	"components/lock.(*differ).compare":            "the kinds of differences: a case each, in the order of the report",
	"render/review.(*View).Diff":                   "the kinds of differences: a case each, in the order of the report",
	"render/review/semantic.(*comparison).finish":  "the kinds of differences: a case each, in the order of the report",
	"render/review/semantic.(*comparison).sources": "the kinds of differences: a case each, in the order of the report",
	"render/review/semantic.(*comparison).unit":    "the kinds of differences: a case each, in the order of the report",
	"fedora.(*Store).Prune":                        "the steps of talking to a server or repository, and what each failure means",
	"fedora.(*Store).fetchFrom":                    "the steps of talking to a server or repository, and what each failure means",
	"fedora/distgit.(*Repo).Export":                "the steps of talking to a server or repository, and what each failure means",
	"fedora/lookaside.(*Client).attempt":           "the steps of talking to a server or repository, and what each failure means",
	"fedora/repodata.(*Kept).fetch":                "the steps of talking to a server or repository, and what each failure means",
	"fedora/distgit.applyDelta":                    "a decoder of a format that trusts no byte: every length is checked",
	"fedora/distgit.readTree":                      "a decoder of a format that trusts no byte: every length is checked",
	"fedora/snapshot.decodeIndex":                  "a decoder of a format that trusts no byte: every length is checked",
	"fedora/srpm/reader.(*Package).readPayload":    "a decoder of a format that trusts no byte: every length is checked",
	"fedora/srpm/reader.(header).files":            "a decoder of a format that trusts no byte: every length is checked",
	"fedora/distgit/gittest.RandomHistory":         "draws each kind of change to a history at random",
	"fedora/macro.(*Evaluator).bcond":              "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.(*specState).checkValue":         "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.(*specState).collectUnknown":     "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.(*specState).line":               "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.(*specState).tag":                "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.autopatch":                       "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.parseHeader":                     "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.patch":                           "the rules of rpm on one kind of line, in the order rpm has them",
	"fedora/macro.(*Evaluator).define":             "the kinds of references to a macro, in the order rpm tries them: the hot path, without a call for each",
	"fedora/macro.(*Evaluator).invoke":             "the kinds of references to a macro, in the order rpm tries them: the hot path, without a call for each",
	"fedora/macro.(*Evaluator).invokeAuto":         "the kinds of references to a macro, in the order rpm tries them: the hot path, without a call for each",
	"fedora/macro.(*depParser).readRich":           "a tokenizer of the grammar: a case for each thing that can begin here",
	"fedora/macro.(*expr).next":                    "a tokenizer of the grammar: a case for each thing that can begin here",
	"fedora/macro.(*reader).directive":             "a tokenizer of the grammar: a case for each thing that can begin here",
	"fedora/macro.freeBody":                        "a tokenizer of the grammar: a case for each thing that can begin here",
	"fedora/macro/pattern.bracket":                 "a tokenizer of the grammar: a case for each thing that can begin here",
	"fedora/macro/shell.parseAwk":                  "a tokenizer of the grammar: a case for each thing that can begin here",
	"render/review/semantic.(*shellReader).words":  "a tokenizer of the grammar: a case for each thing that can begin here",
	"fedora/macro.newLua":                          "registers the functions of rpm in Lua, one after the other",
	"fedora/macro/shell.(*shell).redirect":         "the forms of redirection: a case each",
	"fedora/macro/shell.formatOne":                 "the escapes or conversions of one format: a case each",
	"fedora/macro/shell.unescape":                  "the escapes or conversions of one format: a case each",
	"fedora/macro/shell.toolCut":                   "a tool of the shell: one loop over its options, a case each",
	"fedora/macro/shell.toolGrep":                  "a tool of the shell: one loop over its options, a case each",
	"fedora/macro/shell.toolPrintf":                "a tool of the shell: one loop over its options, a case each",
	"fedora/macro/shell.toolSed":                   "a tool of the shell: one loop over its options, a case each",
	"fedora/macro/shell.toolTr":                    "a tool of the shell: one loop over its options, a case each",
	"fedora/repodata.readBuilt":                    "the elements of one kind of XML: a case each",
	"fedora/repodata.readPrimary":                  "the elements of one kind of XML: a case each",
	"overlay.(*checkup).blocks":                    "a check that looks at one line from several sides",
	"overlay.(*checkup).duplicates":                "a check that looks at one line from several sides",
	"overlay.(*checkup).numbering":                 "a check that looks at one line from several sides",
	"overlay.(*linter).usesOf":                     "a check that looks at one line from several sides",
	"render/review/lint.(*linter).undone":          "a check that looks at one line from several sides",
	"overlay.(*run).matchFiles":                    "the kinds of lines of a spec: a case each",
	"overlay.(*run).noSection":                     "the kinds of lines of a spec: a case each",
	"overlay/spec.newStructure":                    "the kinds of lines of a spec: a case each",
	"render.(*Renderer).changes":                   "the steps of a render, each with its own failure",
	"render.(*Renderer).local":                     "the steps of a render, each with its own failure",
	"render.(*Renderer).macrosFile":                "the steps of a render, each with its own failure",
	"render.(*Renderer).one":                       "the steps of a render, each with its own failure",
	"render.(*Renderer).source":                    "the steps of a render, each with its own failure",
	"render.(*Renderer).locate":                    "the places that a finding can have, the nearest first",
	"render/editor.(*Snapshot).SpecDefinition":     "the places in a spec or project where a cursor can be: a case each",
	"render/editor.(*Snapshot).overlayActions":     "the places in a spec or project where a cursor can be: a case each",
	"render/editor.(*Snapshot).split":              "the places in a spec or project where a cursor can be: a case each",
	"render/editor.(*completer).nameValue":         "the places in a spec or project where a cursor can be: a case each",
	"render/editor.(*completer).overlayValue":      "the places in a spec or project where a cursor can be: a case each",
	"render/editor.(*specState).value":             "the places in a spec or project where a cursor can be: a case each",
	"render/plan.(*digraph).cuts":                  "an algorithm on a graph that reads as its steps",
	"render/prepare.WritePackage":                  "the steps of preparing, each with its own failure",
	"render/prepare.WriteTree":                     "the steps of preparing, each with its own failure",
	"render/prepare.wantedSources":                 "the steps of preparing, each with its own failure",
	"render/rebase.(*Rebaser).Retire":              "the steps of a change to a project, each undone when a later one fails",
	"render/rebase.(*journal).run":                 "the steps of a change to a project, each undone when a later one fails",
	"render/rebase.(*exchange).couples":            "the verdicts on a change, the surest first",
	"render/rebase.(*exchange).fileChange":         "the verdicts on a change, the surest first",
	"render/rebase.carry":                          "the verdicts on a change, the surest first",
}
