// Package lsp is the language server of specgraft: it speaks the Language Server
// Protocol 3.17 with an editor and knows nothing of specs and overlays itself.
// What there is to say comes from package editor.
//
// The server keeps the text of open files, publishes diagnostics some
// milliseconds after the last key, and answers requests from a snapshot of all
// files, each in a goroutine of its own that the client can cancel. It writes no
// file: changes are edits that the client applies.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/handler"

	"specgraft/components"
	"specgraft/render/editor"
	"specgraft/render/editor/buffer"
)

// Options say how the server works.
type Options struct {
	Version string
	Editor  editor.Options
	Log     func(line string) // nil for none
	// Quiet is how long nothing must be typed before diagnostics are made, Deep
	// before those that take longer; 0 for 40 and 250 milliseconds.
	Quiet, Deep time.Duration

	// settled is called when all diagnostics of a version were published, and
	// with version -1 when a session begins; for tests.
	settled func(ses *session, version, published int)
}

// A Server serves one client.
type Server struct {
	opt     Options
	table   handler.Map
	channel *channel
	ready   chan struct{} // closed when initialize is done
	rpc     *jrpc2.Server
	ctx     context.Context
	cancel  context.CancelFunc

	mu       sync.Mutex
	state    state
	client   initializeParams
	utf8     bool
	arch     string
	docs     map[string]*document // by path
	sessions map[string]*session  // by project directory; "" for files of no project
	roots    []string             // folders of the workspace
	tokens   int                  // of progress
}

type state int

const (
	starting state = iota
	running
	shutDown
)

// A document is a file that is open in the client.
type document struct {
	uri     string
	path    string
	lang    string
	version int
	text    *buffer.Text
	session *session
}

// Serve talks to a client until it says exit, or its end of the connection is
// closed. The error is nil when the client said shutdown before.
func Serve(ctx context.Context, r io.Reader, w io.WriteCloser, opt Options) error {
	if opt.Quiet == 0 {
		opt.Quiet = 40 * time.Millisecond
	}
	if opt.Deep == 0 {
		opt.Deep = 250 * time.Millisecond
	}
	s := &Server{opt: opt, docs: map[string]*document{}, sessions: map[string]*session{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	s.table, s.ready, s.channel = s.methods(), make(chan struct{}), newChannel(r, w)
	s.rpc = jrpc2.NewServer(s, &jrpc2.ServerOptions{AllowPush: true, DisableBuiltin: true, Concurrency: 64,
		NewContext: func() context.Context { return s.ctx }})
	s.rpc.Start(s.channel)
	stop := context.AfterFunc(s.ctx, s.rpc.Stop)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.rpc.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-s.ctx.Done():
		// A client that said exit may keep its end open, so that nothing ends
		// the read that is under way.
		select {
		case err = <-ended:
		case <-time.After(time.Second / 5):
		}
	}
	s.cancel()
	s.mu.Lock()
	sessions := s.sessions
	s.sessions = nil
	clean := s.state == shutDown
	s.mu.Unlock()
	for _, ses := range sessions {
		ses.wait()
	}
	switch {
	case clean:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		return errors.New("the client has gone without shutdown")
	}
	return fmt.Errorf("the connection to the client broke: %w", err)
}

// The errors of the protocol.
const (
	notInitialized   jrpc2.Code = -32002
	requestCancelled jrpc2.Code = -32800
	requestFailed    jrpc2.Code = -32803
)

// methods is the table of what the client may ask.
func (s *Server) methods() handler.Map {
	m := handler.Map{
		"initialize":                          call(s.initialize),
		"initialized":                         note(s.initialized),
		"shutdown":                            ignore,
		"exit":                                s.exit,
		"$/cancelRequest":                     s.cancelRequest,
		"$/setTrace":                          ignore,
		"window/workDoneProgress/cancel":      ignore,
		"textDocument/didOpen":                note(s.didOpen),
		"textDocument/didChange":              note(s.didChange),
		"textDocument/didClose":               note(s.didClose),
		"textDocument/didSave":                note(s.didSave),
		"textDocument/willSave":               ignore,
		"workspace/didChangeWatchedFiles":     note(s.didChangeWatchedFiles),
		"workspace/didChangeWorkspaceFolders": note(s.didChangeWorkspaceFolders),
		"workspace/didChangeConfiguration":    note(s.didChangeConfiguration),
	}
	maps.Copy(m, s.features())
	return m
}

// Assign returns what answers a method. It is called in the order in which the
// messages arrive, so that what is allowed follows from what came before and not
// from what is done already.
func (s *Server) Assign(_ context.Context, method string) jrpc2.Handler {
	h := s.table[method]
	if h == nil || method == "exit" || method == "$/cancelRequest" {
		return h
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.state
	switch {
	case method == "initialize" && have == starting:
		s.state = running
	case method == "shutdown" && have == running:
		s.state = shutDown
	}
	return s.wrap(have, h)
}

func ignore(context.Context, *jrpc2.Request) (any, error) { return nil, nil }

// exit ends the server when everything that was asked is answered.
func (s *Server) exit(context.Context, *jrpc2.Request) (any, error) {
	go func() {
		s.channel.finish()
		s.cancel()
	}()
	return nil, nil
}

func (s *Server) cancelRequest(_ context.Context, req *jrpc2.Request) (any, error) {
	var p struct {
		ID json.RawMessage `json:"id"`
	}
	if req.UnmarshalParams(&p) == nil {
		s.rpc.CancelRequest(string(p.ID))
	}
	return nil, nil
}

// wrap lets a method be called in its state only, and turns a panic into an
// error: one file must not take the editor's server away from all others.
func (s *Server) wrap(have state, h jrpc2.Handler) jrpc2.Handler {
	return func(ctx context.Context, req *jrpc2.Request) (res any, err error) {
		first := req.Method() == "initialize"
		switch {
		case first && have == starting:
			defer close(s.ready)
		case first:
			return nil, jrpc2.Errorf(jrpc2.InvalidRequest, "initialize was called before")
		case have == starting:
			return nil, jrpc2.Errorf(notInitialized, "%s before initialize", req.Method())
		case have == shutDown:
			return nil, jrpc2.Errorf(jrpc2.InvalidRequest, "%s after shutdown", req.Method())
		default:
			<-s.ready
		}
		defer func() {
			if p := recover(); p != nil {
				s.log("%s: %v\n%s", req.Method(), p, debug.Stack())
				err = jrpc2.Errorf(jrpc2.InternalError, "something failed that should not: %v; please report it", p)
			}
		}()
		res, err = h(ctx, req)
		if err != nil && ctx.Err() != nil {
			err = jrpc2.Errorf(requestCancelled, "cancelled")
		}
		return res, err
	}
}

// call is a method with parameters and a result.
func call[P, R any](f func(context.Context, P) (R, error)) jrpc2.Handler {
	return func(ctx context.Context, req *jrpc2.Request) (any, error) {
		var p P
		if err := req.UnmarshalParams(&p); err != nil {
			return nil, jrpc2.Errorf(jrpc2.InvalidParams, "parameters of %s: %v", req.Method(), err)
		}
		return f(ctx, p)
	}
}

// note is a notification with parameters.
func note[P any](f func(P)) jrpc2.Handler {
	return call(func(_ context.Context, p P) (any, error) {
		f(p)
		return nil, nil
	})
}

func (s *Server) log(format string, args ...any) {
	if s.opt.Log != nil {
		s.opt.Log(fmt.Sprintf(format, args...))
	}
}

// uriPath returns the path of a file URI, "" for any other.
func uriPath(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" || strings.ContainsRune(u.Path, 0) {
		return ""
	}
	return filepath.Clean(filepath.FromSlash(u.Path))
}

// pathURI returns the URI of a file.
func pathURI(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

func (s *Server) initialize(_ context.Context, p initializeParams) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = p
	s.utf8 = slices.Contains(p.Capabilities.General.PositionEncodings, "utf-8")
	s.arch = p.InitializationOptions.Arch
	for _, f := range p.WorkspaceFolders {
		s.roots = append(s.roots, uriPath(f.URI))
	}
	if len(s.roots) == 0 {
		root := uriPath(p.RootURI)
		if root == "" && filepath.IsAbs(p.RootPath) {
			root = p.RootPath
		}
		s.roots = append(s.roots, root)
	}
	encoding := "utf-16"
	if s.utf8 {
		encoding = "utf-8"
	}
	return map[string]any{
		"capabilities": capabilities(encoding),
		"serverInfo":   map[string]string{"name": "specgraft", "version": s.opt.Version},
	}, nil
}

func (s *Server) initialized(struct{}) {
	s.mu.Lock()
	roots, dynamic := slices.Clone(s.roots), s.client.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration
	s.mu.Unlock()
	if dynamic {
		var watchers []map[string]string
		for _, ext := range []string{"toml", "spec", "lock", "spec.tmpl", "patch", "diff"} {
			watchers = append(watchers, map[string]string{"globPattern": "**/*." + ext})
		}
		go s.ask("client/registerCapability", map[string]any{"registrations": []any{map[string]any{
			"id": "watched-files", "method": "workspace/didChangeWatchedFiles", "registerOptions": map[string]any{"watchers": watchers},
		}}})
	}
	for _, root := range roots {
		s.addRoot(root)
	}
}

// addRoot opens the project of a folder, if it has one.
func (s *Server) addRoot(root string) {
	if root == "" {
		return
	}
	if dir, err := components.Find(root); err == nil && dir != "" {
		if ses := s.session(dir); ses != nil {
			ses.touch()
		}
	}
}

// ask sends a request to the client and waits for its answer, however late it
// comes: the library would take the answer to something forgotten for a request.
func (s *Server) ask(method string, params any) error {
	_, err := s.rpc.Callback(s.ctx, method, params)
	if err != nil && s.ctx.Err() == nil {
		s.log("%s: %v", method, err)
	}
	return err
}

func (s *Server) notify(method string, params any) {
	if err := s.rpc.Notify(s.ctx, method, params); err != nil && s.ctx.Err() == nil {
		s.log("%s: %v", method, err)
	}
}

// session returns the session of a project, "" for files of none.
func (s *Server) session(dir string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions == nil {
		return nil
	}
	ses := s.sessions[dir]
	if ses == nil {
		opt := s.opt.Editor
		opt.Arch = s.arch
		ses = newSession(s, editor.NewSession(dir, opt))
		s.sessions[dir] = ses
	}
	return ses
}

// of returns an open document.
func (s *Server) of(uri string) *document {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.docs[uriPath(uri)]
	if d == nil {
		return nil
	}
	c := *d
	return &c
}

func (s *Server) didOpen(p didOpenParams) {
	path := uriPath(p.TextDocument.URI)
	if path == "" {
		return // not a file: nothing is known of it
	}
	dir, err := components.Find(filepath.Dir(path))
	if err != nil {
		dir = ""
	}
	ses := s.session(dir)
	if ses == nil {
		return
	}
	d := &document{uri: p.TextDocument.URI, path: path, lang: p.TextDocument.LanguageID, version: p.TextDocument.Version,
		text: buffer.New(p.TextDocument.Text), session: ses}
	s.mu.Lock()
	s.docs[path] = d
	s.mu.Unlock()
	ses.SetText(path, d.text)
	ses.touch()
}

func (s *Server) didChange(p didChangeParams) {
	s.mu.Lock()
	d := s.docs[uriPath(p.TextDocument.URI)]
	if d == nil {
		s.mu.Unlock()
		return // changes of what was never opened
	}
	text := d.text
	for _, c := range p.ContentChanges {
		if c.Range == nil {
			text = buffer.New(c.Text)
			continue
		}
		span := s.span(text, *c.Range)
		next, err := text.Replace(span, c.Text)
		if err != nil {
			s.log("%s: %v", d.path, err)
			continue
		}
		text = next
	}
	d.text = text
	if p.TextDocument.Version != nil {
		d.version = *p.TextDocument.Version
	}
	ses, path := d.session, d.path
	s.mu.Unlock()
	ses.SetText(path, text)
	ses.touch()
}

func (s *Server) didClose(p documentParams) {
	path := uriPath(p.TextDocument.URI)
	s.mu.Lock()
	d := s.docs[path]
	delete(s.docs, path)
	s.mu.Unlock()
	if d == nil {
		return
	}
	d.session.SetText(path, nil)
	d.session.touch()
}

func (s *Server) didSave(p documentParams) {
	if d := s.of(p.TextDocument.URI); d != nil {
		d.session.Changed([]string{d.path})
		d.session.touch()
	}
}

func (s *Server) didChangeWatchedFiles(p watchedParams) {
	var paths []string
	for _, c := range p.Changes {
		if path := uriPath(c.URI); path != "" {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return
	}
	s.mu.Lock()
	var all []*session
	for _, ses := range s.sessions {
		all = append(all, ses)
	}
	roots := slices.Clone(s.roots)
	s.mu.Unlock()
	for _, ses := range all {
		ses.Changed(paths)
		ses.touch()
	}
	for _, root := range roots { // an azldev.toml may have appeared
		if slices.ContainsFunc(paths, func(p string) bool { return filepath.Base(p) == components.FileName }) {
			s.addRoot(root)
		}
	}
}

func (s *Server) didChangeWorkspaceFolders(p foldersParams) {
	for _, f := range p.Event.Added {
		root := uriPath(f.URI)
		s.mu.Lock()
		s.roots = append(s.roots, root)
		s.mu.Unlock()
		s.addRoot(root)
	}
	for _, f := range p.Event.Removed {
		root := uriPath(f.URI)
		s.mu.Lock()
		s.roots = slices.DeleteFunc(s.roots, func(r string) bool { return r == root })
		used := false
		for _, d := range s.docs {
			used = used || d.session.Dir == root
		}
		ses := s.sessions[root]
		if ses != nil && !used {
			delete(s.sessions, root)
		} else {
			ses = nil
		}
		s.mu.Unlock()
		if ses != nil {
			ses.clear()
		}
	}
}

func (s *Server) didChangeConfiguration(p configurationParams) {
	s.mu.Lock()
	s.arch = p.Settings.Specgraft.Arch
	arch := s.arch
	var all []*session
	for _, ses := range s.sessions {
		all = append(all, ses)
	}
	s.mu.Unlock()
	for _, ses := range all {
		ses.SetArch(arch)
		ses.touch()
	}
}
