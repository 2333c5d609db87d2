package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/handler"

	"specgraft/overlay/diag"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
)

// capabilities says what the server can do.
func capabilities(encoding string) map[string]any {
	return map[string]any{
		"positionEncoding": encoding,
		"textDocumentSync": map[string]any{"openClose": true, "change": 2, "save": map[string]any{"includeText": false}},
		"hoverProvider":    true,
		"completionProvider": map[string]any{
			"triggerCharacters": []string{".", "=", "\"", "'", "[", "{", "%", "/"},
		},
		"definitionProvider":      true,
		"referencesProvider":      true,
		"documentSymbolProvider":  true,
		"workspaceSymbolProvider": true,
		"codeActionProvider":      map[string]any{"codeActionKinds": []string{"quickfix", "refactor"}},
		"codeLensProvider":        map[string]any{"resolveProvider": false},
		"renameProvider":          map[string]any{"prepareProvider": true},
		"foldingRangeProvider":    true,
		"semanticTokensProvider": map[string]any{
			"legend": map[string]any{"tokenTypes": editor.HighlightNames, "tokenModifiers": []string{}},
			"full":   true,
		},
		"executeCommandProvider": map[string]any{"commands": editor.Commands, "workDoneProgress": true},
		"workspace": map[string]any{
			"workspaceFolders":    map[string]any{"supported": true, "changeNotifications": true},
			"textDocumentContent": map[string]any{"schemes": []string{editor.UpstreamScheme}},
		},
	}
}

// features are the methods that look at files.
func (s *Server) features() handler.Map {
	m := handler.Map{
		"textDocument/hover":               call(s.hover),
		"textDocument/completion":          call(s.completion),
		"textDocument/definition":          call(s.definition),
		"textDocument/references":          call(s.references),
		"textDocument/documentSymbol":      call(s.documentSymbol),
		"textDocument/codeAction":          call(s.codeAction),
		"textDocument/codeLens":            call(s.codeLens),
		"textDocument/prepareRename":       call(s.prepareRename),
		"textDocument/rename":              call(s.rename),
		"textDocument/foldingRange":        call(s.foldingRange),
		"textDocument/semanticTokens/full": call(s.semanticTokens),
		"workspace/symbol":                 call(s.workspaceSymbol),
		"workspace/executeCommand":         call(s.executeCommand),
		"workspace/textDocumentContent":    call(s.textDocumentContent),
	}
	return m
}

// at returns an open document with its project as it is now, nil for a file
// that is not open.
func (s *Server) at(uri string) (*document, *editor.Snapshot) {
	d := s.of(uri)
	if d == nil {
		return nil, nil
	}
	return d, d.session.Snapshot()
}

func (s *Server) hover(ctx context.Context, p positionParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	h := snap.Hover(ctx, d.path, s.point(d.text, p.Position))
	if h == nil {
		return nil, ctx.Err()
	}
	r := s.rangeOf(d.text, h.Span)
	return hover{markup{"markdown", strings.ToValidUTF8(h.Text, "\uFFFD")}, &r}, ctx.Err()
}

// completionKinds are those of the protocol.
var completionKinds = map[editor.CompletionKind]int{
	editor.CompleteKey: 10, editor.CompleteTable: 9, editor.CompleteValue: 12, editor.CompleteName: 18, editor.CompleteFile: 17,
	editor.CompleteMacro: 21, editor.CompleteTag: 5, editor.CompleteSection: 14,
}

func (s *Server) completion(ctx context.Context, p positionParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return completionList{Items: []completionItem{}}, nil
	}
	list, more := snap.Complete(ctx, d.path, s.point(d.text, p.Position))
	out := completionList{IsIncomplete: more, Items: make([]completionItem, 0, len(list))}
	for i, c := range list {
		edit := textEdit{s.rangeOf(d.text, c.Edit.Span), c.Edit.New}
		item := completionItem{Label: c.Label, Kind: completionKinds[c.Kind], Detail: c.Detail, SortText: fmt.Sprintf("%05d", i),
			FilterText: c.Edit.New, TextEdit: &edit}
		if c.Doc != "" {
			item.Documentation = &markup{"markdown", c.Doc}
		}
		out.Items = append(out.Items, item)
	}
	return out, ctx.Err()
}

func (s *Server) definition(ctx context.Context, p positionParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return []location{}, nil
	}
	at := s.point(d.text, p.Position)
	if filepath.Ext(d.path) == ".toml" {
		return s.locations(snap, snap.Definition(ctx, d.path, at)), ctx.Err()
	}
	places, upstream, line := snap.SpecDefinition(ctx, d.path, at)
	if upstream != "" {
		pos := position{Line: line}
		return []location{{s.documentURI(snap, upstreamURI(upstream), upstream), lspRange{pos, pos}}}, nil
	}
	return s.locations(snap, places), ctx.Err()
}

func upstreamURI(name string) string {
	return editor.UpstreamScheme + ":/upstream/" + name + ".spec"
}

func (s *Server) references(_ context.Context, p referenceParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return []location{}, nil
	}
	return s.locations(snap, snap.References(d.path, s.point(d.text, p.Position), p.Context.IncludeDeclaration)), nil
}

// symbolKinds are those of the protocol.
var symbolKinds = map[editor.SymbolKind]int{
	editor.SymbolComponent: 4, editor.SymbolGroup: 3, editor.SymbolDistro: 2, editor.SymbolOverlay: 24, editor.SymbolTable: 19,
	editor.SymbolSection: 6, editor.SymbolPackage: 4, editor.SymbolConditional: 17, editor.SymbolMacro: 14,
}

func (s *Server) documentSymbol(_ context.Context, p documentParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return []documentSymbol{}, nil
	}
	return s.symbols(d.text, snap.Symbols(d.path)), nil
}

func (s *Server) symbols(text *buffer.Text, list []editor.Symbol) []documentSymbol {
	out := make([]documentSymbol, 0, len(list))
	for _, y := range list {
		o := documentSymbol{Name: y.Name, Detail: y.Detail, Kind: symbolKinds[y.Kind], Range: s.rangeOf(text, y.Span), SelectionRange: s.rangeOf(text, y.Name0)}
		if len(y.Children) > 0 {
			o.Children = s.symbols(text, y.Children)
		}
		out = append(out, o)
	}
	return out
}

func (s *Server) workspaceSymbol(ctx context.Context, p struct {
	Query string `json:"query"`
}) (any, error) {
	out := []symbolInformation{}
	for _, ses := range s.all() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		snap := ses.Snapshot()
		for _, y := range snap.WorkspaceSymbols(p.Query) {
			out = append(out, symbolInformation{y.Name, symbolKinds[y.Kind], s.location(snap, y.Place)})
		}
	}
	return out, nil
}

func (s *Server) codeAction(ctx context.Context, p codeActionParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	out := []codeAction{}
	if d == nil {
		return out, nil
	}
	wants := func(kind string) bool {
		return len(p.Context.Only) == 0 || slices.ContainsFunc(p.Context.Only, func(o string) bool { return kind == o || strings.HasPrefix(kind, o+".") })
	}
	for _, a := range snap.Actions(ctx, d.path, s.span(d.text, p.Range)) {
		kind := "refactor"
		if a.Fix {
			kind = "quickfix"
		}
		if !wants(kind) {
			continue
		}
		act := codeAction{Title: a.Title, Kind: kind, IsPreferred: a.Preferred}
		switch {
		case a.Change != nil:
			edit, ok := s.workspaceEdit(snap, a.Change)
			if !ok {
				continue // the client cannot make or rename files
			}
			act.Edit = edit
		default:
			act.Command = &command{a.Title, a.Command, s.args(snap, a.Args)}
		}
		out = append(out, act)
	}
	return out, ctx.Err()
}

// workspaceEdit converts a change. It is false when the client cannot apply it.
func (s *Server) workspaceEdit(snap *editor.Snapshot, ch *editor.Change) (*workspaceEdit, bool) {
	s.mu.Lock()
	can := s.client.Capabilities.Workspace.WorkspaceEdit
	s.mu.Unlock()
	paths := make([]string, 0, len(ch.Edits))
	for path := range ch.Edits {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	edits := func(path string) (string, *int, []textEdit) {
		text := snap.TextOf(path)
		uri, version := pathURI(path), (*int)(nil)
		if d := s.of(uri); d != nil {
			uri, version = d.uri, &d.version
		}
		list := make([]textEdit, 0, len(ch.Edits[path]))
		for _, e := range ch.Edits[path] {
			list = append(list, textEdit{s.rangeOf(text, e.Span), e.New})
		}
		return uri, version, list
	}
	if !can.DocumentChanges {
		if len(ch.Created)+len(ch.Renamed) > 0 {
			return nil, false
		}
		m := map[string][]textEdit{}
		for _, path := range paths {
			uri, _, list := edits(path)
			m[uri] = list
		}
		return &workspaceEdit{Changes: m}, true
	}
	has := func(op string) bool { return slices.Contains(can.ResourceOperations, op) }
	if len(ch.Created) > 0 && !has("create") || len(ch.Renamed) > 0 && !has("rename") {
		return nil, false
	}
	var out workspaceEdit
	var created []string
	for path := range ch.Created {
		created = append(created, path)
	}
	slices.Sort(created)
	for _, path := range created {
		out.DocumentChanges = append(out.DocumentChanges, resourceOperation{Kind: "create", URI: pathURI(path)},
			textDocumentEdit{versionedDocument{URI: pathURI(path)}, []textEdit{{NewText: ch.Created[path]}}})
	}
	for _, path := range paths {
		uri, version, list := edits(path)
		out.DocumentChanges = append(out.DocumentChanges, textDocumentEdit{versionedDocument{uri, version}, list})
	}
	var renamed []string
	for path := range ch.Renamed {
		renamed = append(renamed, path)
	}
	slices.Sort(renamed)
	for _, path := range renamed {
		out.DocumentChanges = append(out.DocumentChanges, resourceOperation{Kind: "rename", OldURI: pathURI(path), NewURI: pathURI(ch.Renamed[path])})
	}
	return &out, true
}

func (s *Server) codeLens(ctx context.Context, p documentParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	out := []codeLens{}
	if d == nil {
		return out, nil
	}
	for _, l := range snap.Lenses(ctx, d.path) {
		out = append(out, codeLens{s.rangeOf(d.text, l.Span), &command{l.Title, l.Command, s.args(snap, l.Args)}})
	}
	return out, ctx.Err()
}

func (s *Server) prepareRename(_ context.Context, p positionParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	span, ok := snap.RenameSpan(d.path, s.point(d.text, p.Position))
	if !ok {
		return nil, nil
	}
	return s.rangeOf(d.text, span), nil
}

func (s *Server) rename(_ context.Context, p renameParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	if d == nil {
		return nil, jrpc2.Errorf(requestFailed, "the file is not open")
	}
	ch, err := snap.Rename(d.path, s.point(d.text, p.Position), p.NewName)
	if err != nil {
		return nil, jrpc2.Errorf(requestFailed, "%v", err)
	}
	edit, ok := s.workspaceEdit(snap, ch)
	if !ok {
		// The files that bear the name are left to the user.
		ch.Renamed = nil
		if edit, ok = s.workspaceEdit(snap, ch); !ok {
			return nil, jrpc2.Errorf(requestFailed, "the editor cannot apply the change")
		}
	}
	return edit, nil
}

func (s *Server) foldingRange(_ context.Context, p documentParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	out := []foldingRange{}
	if d == nil {
		return out, nil
	}
	for _, f := range snap.Folds(d.path) {
		out = append(out, foldingRange{StartLine: f.Start, EndLine: f.End, Kind: "region"})
	}
	return out, nil
}

func (s *Server) semanticTokens(ctx context.Context, p documentParams) (any, error) {
	d, snap := s.at(p.TextDocument.URI)
	out := semanticTokens{Data: []int{}}
	if d == nil {
		return out, nil
	}
	line, col := 0, 0
	for _, h := range snap.Highlights(ctx, d.path) {
		from := s.position(d.text, buffer.Point{Line: h.Line, Col: h.Col})
		to := s.position(d.text, buffer.Point{Line: h.Line, Col: h.Col + h.Len})
		if from.Line != line {
			col = 0
		}
		out.Data = append(out.Data, from.Line-line, from.Character-col, to.Character-from.Character, int(h.Kind), 0)
		line, col = from.Line, from.Character
	}
	return out, ctx.Err()
}

// executeCommand runs one of the commands. Those that show something return the
// document; those that change something have the client apply the edits.
func (s *Server) executeCommand(ctx context.Context, p executeParams) (any, error) {
	if !slices.Contains(editor.Commands, p.Command) {
		hint := ""
		if n := diag.Nearest(p.Command, editor.Commands); n != "" {
			hint = fmt.Sprintf("; did you mean %q?", n)
		}
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "there is no command %q%s", p.Command, hint)
	}
	progress := s.begin(p.WorkDoneToken, strings.TrimPrefix(p.Command, "specgraft."))
	defer progress.done("")
	snap, name, step, err := s.target(ctx, p.Arguments)
	if err != nil {
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "%s: %v", p.Command, err)
	}
	var doc *editor.Document
	switch p.Command {
	case editor.CommandRender:
		doc, err = snap.Render(ctx, name)
	case editor.CommandDiff:
		doc, err = snap.Diff(ctx, name)
	case editor.CommandStep:
		if step == 0 && len(p.Arguments) > 1 {
			if json.Unmarshal(p.Arguments[1], &step) != nil {
				return nil, jrpc2.Errorf(jrpc2.InvalidParams, "%s takes a component and the number of a step", p.Command)
			}
		}
		doc, err = snap.Step(ctx, name, step)
	case editor.CommandTry:
		var text string
		switch {
		case step > 0:
			doc, err = snap.Step(ctx, name, step)
		case len(p.Arguments) < 2 || json.Unmarshal(p.Arguments[1], &text) != nil:
			return nil, jrpc2.Errorf(jrpc2.InvalidParams, "%s takes a component and the TOML of an overlay, or a file and a position", p.Command)
		default:
			doc, err = snap.Try(ctx, name, text)
		}
	case editor.CommandRebase, editor.CommandAbsorb:
		change := snap.Rebase
		if p.Command == editor.CommandAbsorb {
			change = snap.Absorb
		}
		ch, message, err := change(ctx, name)
		if err != nil {
			return nil, failure(err)
		}
		return s.apply(snap, ch, message)
	}
	if err != nil {
		return nil, failure(err)
	}
	doc.URI = s.documentURI(snap, doc.URI, name)
	return doc, nil
}

// failure turns an error into what the client shows.
func failure(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	message := err.Error()
	if l, ok := errors.AsType[diag.ListError](err); ok {
		var all []string
		for i := range l {
			if l[i].Severity == diag.Error {
				all = append(all, l[i].Error())
			}
		}
		message = strings.Join(all, "\n")
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok && d.Hint != "" {
		message += "\n" + d.Hint
	}
	return jrpc2.Errorf(requestFailed, "%s", strings.ToValidUTF8(message, "\uFFFD"))
}

// target reads the arguments of a command: a component by name, or the overlay
// at a place in a file.
func (s *Server) target(ctx context.Context, args []json.RawMessage) (*editor.Snapshot, string, int, error) {
	var first string
	if len(args) == 0 || json.Unmarshal(args[0], &first) != nil || first == "" {
		return nil, "", 0, errors.New("the first argument is a component, or the URI of an open file")
	}
	if strings.HasPrefix(first, "file:") && !strings.Contains(first, "#") {
		d, snap := s.at(first)
		var pos position
		if d == nil {
			return nil, "", 0, fmt.Errorf("%s is not open", first)
		}
		if len(args) < 2 || json.Unmarshal(args[1], &pos) != nil {
			return nil, "", 0, errors.New("the second argument is a position in the file")
		}
		name, step, ok := snap.OverlayAt(ctx, d.path, s.point(d.text, pos))
		if !ok {
			return nil, "", 0, errors.New("there is no overlay of a component at that place")
		}
		if step == 0 {
			return nil, "", 0, errors.New("the overlay is not applied, as one before it fails")
		}
		return snap, name, step, nil
	}
	snap, name, err := s.named(first)
	return snap, name, 0, err
}

// apply has the client apply a change, and tells what was done.
func (s *Server) apply(snap *editor.Snapshot, ch *editor.Change, message string) (any, error) {
	if ch == nil {
		return map[string]any{"applied": false, "message": message}, nil
	}
	edit, ok := s.workspaceEdit(snap, ch)
	if !ok {
		return nil, jrpc2.Errorf(requestFailed, "the editor cannot make the files that belong to the change")
	}
	rsp, err := s.rpc.Callback(s.ctx, "workspace/applyEdit", map[string]any{"label": message, "edit": edit})
	if err != nil {
		return nil, jrpc2.Errorf(requestFailed, "the editor did not apply the change: %v", err)
	}
	var res struct {
		Applied bool   `json:"applied"`
		Reason  string `json:"failureReason"`
	}
	if err := rsp.UnmarshalResult(&res); err != nil || !res.Applied {
		return nil, jrpc2.Errorf(requestFailed, "the editor did not apply the change: %s", res.Reason)
	}
	return map[string]any{"applied": true, "message": message}, nil
}

// textDocumentContent returns the text of a document that is no file: the spec
// of a component as it is upstream, or as it is rendered.
func (s *Server) textDocumentContent(ctx context.Context, p textDocument) (any, error) {
	place, folder, _ := strings.Cut(p.URI, folderQuery)
	kind, file, ok := strings.Cut(strings.TrimPrefix(place, editor.UpstreamScheme+":/"), "/")
	name, isSpec := strings.CutSuffix(file, ".spec")
	name, isDiff := strings.CutSuffix(name, ".diff")
	if !ok || !isSpec && !isDiff {
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "%q is no document of specgraft", p.URI)
	}
	if folder != "" {
		name = folder + "#" + url.PathEscape(name)
	}
	snap, name, err := s.named(name)
	if err != nil {
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "%v", err)
	}
	var doc *editor.Document
	switch kind {
	case "upstream":
		text, ok := snap.UpstreamText(ctx, name)
		if !ok {
			return nil, jrpc2.Errorf(requestFailed, "the packaging of %s is not in the mirror; run \"specgraft fetch %s\"", name, name)
		}
		doc = &editor.Document{Text: text}
	case "rendered":
		doc, err = snap.Render(ctx, name)
	case "diff":
		doc, err = snap.Diff(ctx, name)
	default:
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "%q is no document of specgraft", p.URI)
	}
	if err != nil {
		return nil, failure(err)
	}
	return map[string]string{"text": strings.ToValidUTF8(doc.Text, "\uFFFD")}, nil
}
