package fedora

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
	"specgraft/overlay/regex"
)

// maxRetryAfter bounds how long a server can make us wait.
const maxRetryAfter = 2 * time.Minute

// A Fetched says what Fetch did for one request.
type Fetched struct {
	Commit  string // the commit that the request selects
	Network bool   // something was fetched; otherwise all was there
	Bytes   int64  // how much the mirror grew
}

// Fetch makes everything that r selects available offline: the branch, the
// commit and, unless r.Shallow, the history behind it. What is there already
// is not fetched again unless r.Refresh. A locked or pinned commit gets a ref
// of its own in the mirror, so that it outlives a rewritten branch.
// Repositories that are read in place need nothing but to be there.
func (s *Store) Fetch(ctx context.Context, r Request) (Fetched, error) {
	u, err := s.upstream(r)
	if err != nil {
		return Fetched{}, err
	}
	if r, err = r.check(); err != nil {
		return Fetched{}, err
	}
	u.remember(r)
	var got Fetched
	if !r.Refresh || len(u.remotes) == 0 {
		if got.Commit, err = s.find(ctx, u, r); err == nil || !isMissing(err) {
			return got, err
		}
		if len(u.remotes) == 0 {
			return got, err
		}
	}
	if s.opt.Offline {
		if err == nil {
			err = diag.Errorf("fedora/offline", "%s cannot be fetched", u.addr.shown)
		}
		return got, s.offlineError(u, err)
	}
	before := packBytes(u.mirrorDir)
	got.Network = true
	if err := s.fetchOnce(ctx, u, r); err != nil {
		return got, err
	}
	got.Bytes = max(0, packBytes(u.mirrorDir)-before)
	r.Refresh = false
	got.Commit, err = s.find(ctx, u, r)
	return got, err
}

// find resolves r without the network and checks that its commit can be read,
// with history where that is asked for.
func (s *Store) find(ctx context.Context, u *upstream, r Request) (string, error) {
	var id string
	err := s.eachPlace(u, func(i int) error {
		p := u.places[i]
		id = r.Commit
		if !distgit.IsObjectID(id) {
			var err error
			if id, err = s.resolveIn(ctx, u, p, r); err != nil {
				return err
			}
		}
		at, ok := distgit.FindDir(p.dir)
		if !ok {
			return noRepository(u, p)
		}
		if !r.Shallow && !p.inPlace && len(at.Shallow()) > 0 {
			return cutOff(p)
		}
		if r.Commit == "" {
			return nil // on the branch, hence there
		}
		if _, err := at.Ref(keepRefs + id); err == nil {
			return nil
		}
		repo, err := s.acquire(u, p)
		if err != nil {
			return err
		}
		defer repo.Close()
		if _, err := repo.Commit(id); errors.Is(err, fs.ErrNotExist) {
			return s.missingCommit(ctx, u, p, id)
		} else if err != nil || p.inPlace {
			return err
		}
		return keepAlive(at, id)
	})
	return id, err
}

func cutOff(p place) error {
	return diag.Errorf("fedora/missing-commit", "the mirror of %s holds no history", p.shown)
}

// fetchOnce fetches for r, unless this run has done so already.
func (s *Store) fetchOnce(ctx context.Context, u *upstream, r Request) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := r.Branch + " " + r.Commit
	full, shallow := u.tried[key+" full"], u.tried[key+" shallow"]
	switch {
	case full != nil:
		return full.err
	case r.Shallow && shallow != nil:
		return shallow.err
	}
	err := s.fetch(ctx, u, r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.Shallow {
		key += " shallow"
	} else {
		key += " full"
	}
	u.tried[key] = &attempt{err}
	return err
}

// An attempt is how a fetch in this run ended.
type attempt struct{ err error }

// fetch fetches r from the first remote that has it.
func (s *Store) fetch(ctx context.Context, u *upstream, r Request) error {
	unlock, err := lockMirror(ctx, u.mirrorDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := createMirror(u.mirrorDir); err != nil {
		return err
	}
	var failed error
	for i, remote := range u.remotes {
		err := s.fetchFrom(ctx, u, remote, r)
		if err == nil {
			mirror := u.places[len(u.places)-1]
			if err = s.check(ctx, u, mirror, r); err == nil {
				return nil
			}
		}
		if cerr := ctx.Err(); cerr != nil {
			return cerr
		}
		failed = err
		if !isMissing(err) && !diag.HasCode(err, "fedora/network", "fedora/refused") {
			break
		}
		if i+1 < len(u.remotes) {
			s.log("%s: %v; trying %s", remote.shown, err, u.remotes[i+1].shown)
		}
	}
	return failed
}

// check says whether the mirror has what r selects after a fetch.
func (s *Store) check(ctx context.Context, u *upstream, mirror place, r Request) error {
	s.repos.Drop(mirror.dir)
	at := distgit.Dir{GitDir: mirror.dir, Common: mirror.dir}
	if r.Commit == "" {
		_, err := s.resolveIn(ctx, u, mirror, r)
		return err
	}
	if distgit.IsObjectID(r.Commit) {
		if _, err := at.Ref(keepRefs + r.Commit); err == nil {
			return nil
		}
	}
	repo, err := s.acquire(u, mirror)
	if err != nil {
		return err
	}
	defer repo.Close()
	id, err := repo.RevParse(r.Commit)
	if errors.Is(err, fs.ErrNotExist) {
		return s.missingCommit(ctx, u, mirror, r.Commit)
	}
	if err != nil {
		return err
	}
	return keepAlive(at, id)
}

// fetchFrom fetches r from one remote. The caller holds the mirror's lock.
func (s *Store) fetchFrom(ctx context.Context, u *upstream, remote *address, r Request) error {
	at := distgit.Dir{GitDir: u.mirrorDir, Common: u.mirrorDir}
	var depth, specs []string
	cut := len(at.Shallow()) > 0
	switch {
	case r.Shallow && (distgit.IsObjectID(r.Commit) || r.Commit == "" && r.Snapshot.IsZero()):
		// One commit is enough, and nothing has to be searched for.
		if cut || packBytes(u.mirrorDir) == 0 {
			depth = []string{"--depth=1"}
		}
	case cut:
		depth = []string{"--unshallow"}
	}
	branches := []string{}
	if r.Branch != "" && (len(depth) == 0 || depth[0] != "--depth=1" || r.Commit == "") {
		specs = append(specs, "+refs/heads/"+r.Branch+":refs/heads/"+r.Branch)
		branches = append(branches, r.Branch)
	}
	if distgit.IsObjectID(r.Commit) {
		if _, err := at.Ref(keepRefs + r.Commit); err != nil || len(depth) > 0 {
			specs = append(specs, r.Commit+":"+keepRefs+r.Commit)
		}
	}
	when := time.Now().Unix()
	err := errFallBack
	if len(specs) > 0 {
		err = s.retry(ctx, u, remote, depth, specs)
	}
	if err == nil && r.Commit != "" && !distgit.IsObjectID(r.Commit) {
		// An abbreviation cannot be asked for; it must be on some branch.
		repo, rerr := s.acquire(u, u.places[len(u.places)-1])
		if rerr != nil {
			return rerr
		}
		if _, rerr = repo.RevParse(r.Commit); errors.Is(rerr, fs.ErrNotExist) {
			err = errFallBack
		}
		repo.Close()
		s.repos.Drop(u.mirrorDir)
	}
	if errors.Is(err, errFallBack) {
		// No such branch, or a commit that the server does not give out by
		// name. All branches together settle what there is.
		if len(depth) > 0 && depth[0] == "--depth=1" {
			depth = nil
			if cut {
				depth = []string{"--unshallow"}
			}
		}
		branches = nil
		err = s.retry(ctx, u, remote, depth, []string{"+refs/heads/*:refs/heads/*"})
		if err == nil {
			if branches = at.Branches(); len(branches) == 0 {
				d := diag.Errorf("fedora/no-branch", "%s has no branches: the repository is empty, or the address leads elsewhere", remote.shown)
				d.Hint = "check spec.upstream-name and the distribution's dist-git-base-uri"
				return d
			}
		}
	}
	if err != nil {
		return err
	}
	return writeFetchState(u.mirrorDir, when, branches...)
}

// errFallBack says that the server does not have a branch or commit by name.
var errFallBack = errors.New("the server lacks what was asked for")

// retry runs git fetch until it works, the failure is final or the attempts
// are used up.
func (s *Store) retry(ctx context.Context, u *upstream, remote *address, options, specs []string) error {
	h := s.host(remote)
	swept := false
	for n := 0; ; n++ {
		release, err := h.enter(ctx)
		if err != nil {
			return err
		}
		if last := h.down(); last != "" {
			release()
			return diag.Environment(diag.Errorf("fedora/network", "fetch %s: given up, as %s does not answer: %s", remote.shown, remote.host, last), "run the command again when the server is back; what was fetched is kept")
		}
		said, err := s.gitFetch(ctx, u, remote, options, specs)
		release()
		if err == nil {
			h.answered()
			return nil
		}
		if cerr := ctx.Err(); cerr != nil {
			return cerr
		}
		if !swept && staleLock().MatchString(said.text) {
			sweepLocks(u.mirrorDir)
			swept = true
			n--
			continue
		}
		failed, final := said.classify(remote, err)
		if final {
			h.answered()
			return failed
		}
		if n >= s.opt.Retries {
			h.failed(said.words(remote, err))
			if d, ok := errors.AsType[*diag.Diagnostic](failed); ok && n > 0 {
				d.Message += fmt.Sprintf(" (after %d attempts)", n+1)
			}
			return failed
		}
		pause := s.opt.Backoff << min(n, 6)
		pause += rand.N(pause/2 + 1) // so that many clients do not come back together
		if said.retryAfter > pause {
			pause = min(said.retryAfter, maxRetryAfter)
		}
		if said.retryAfter > 0 {
			h.hold(pause) // the server wants quiet, not just from this one
		}
		s.log("%v; next attempt in %s", failed, pause.Round(time.Millisecond))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gitFetch runs git fetch once.
func (s *Store) gitFetch(ctx context.Context, u *upstream, remote *address, options, specs []string) (*answer, error) {
	protocols := []string{"https", "ssh"}
	if s.opt.AllowHTTP {
		protocols = append(protocols, "http")
	}
	extra := []distgit.Setting{
		{Key: "http.lowSpeedLimit", Value: "1"},
		{Key: "http.lowSpeedTime", Value: strconv.Itoa(max(1, int(s.opt.Stall/time.Second)))},
	}
	args := []string{"fetch", "--quiet", "--no-progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--no-show-forced-updates", "--no-recurse-submodules", "--refmap="}
	args = append(args, options...)
	args = append(append(args, "--end-of-options", remote.url), specs...)
	cmd, err := s.git.Network(ctx, u.mirrorDir, protocols, extra, args...)
	if err != nil {
		return nil, err
	}
	if remote.scheme != "ssh" {
		// The only way to learn of Retry-After and Location in an answer. Git
		// leaves secrets out, and none of these lines is ever shown.
		cmd.Env = append(cmd.Env, "GIT_TRACE_CURL=2", "GIT_TRACE_CURL_NO_DATA=1", "GIT_TRACE_REDACT=1")
	}
	said := &answer{remote: remote}
	cmd.Stderr = said
	err = cmd.Run()
	said.end()
	for _, to := range said.redirects {
		s.log("%s redirects to another host: %s", remote.shown, to)
	}
	if err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok && ctx.Err() == nil {
			return said, diag.Environment(diag.Errorf("fedora/no-git", "git cannot be started: %v", err), "install git 2.32 or later")
		}
		return said, distgit.CommandError(cmd, err, said.text)
	}
	return said, nil
}

// An answer is what a git fetch had to say on stderr.
type answer struct {
	remote     *address
	text       string // messages, without traces and secrets
	redirects  []string
	retryAfter time.Duration

	rest []byte
}

var (
	traceLine      = regex.Once(`^[0-9:.]+ http\.c:[0-9]+ +(.*)$`)
	retryHeader    = regex.Once(`(?i)Recv header: *retry-after: *([0-9]+)`)
	locationHeader = regex.Once(`(?i)Recv header: *location: *([^ ]+)`)
	staleLock      = regex.Once(`\.lock': File exists`)
)

func (a *answer) Write(p []byte) (int, error) {
	a.rest = append(a.rest, p...)
	for {
		i := indexLineEnd(a.rest)
		if i < 0 {
			break
		}
		a.line(string(a.rest[:i]))
		a.rest = a.rest[i+1:]
	}
	if len(a.rest) > distgit.TailSize {
		a.rest = nil
	}
	return len(p), nil
}

func indexLineEnd(b []byte) int {
	for i, c := range b {
		if c == '\n' || c == '\r' {
			return i
		}
	}
	return -1
}

func (a *answer) end() {
	a.line(string(a.rest))
	a.rest = nil
}

func (a *answer) line(l string) {
	if m := traceLine().FindStringSubmatch(l); m != nil {
		if to := locationHeader().FindStringSubmatch(m[1]); to != nil {
			if u, err := url.Parse(to[1]); err == nil && u.Host != "" && !strings.EqualFold(u.Host, a.remote.host) {
				a.redirects = append(a.redirects, u.Scheme+"://"+u.Host)
			}
		}
		if m := retryHeader().FindStringSubmatch(m[1]); m != nil {
			if sec, err := strconv.Atoi(m[1]); err == nil && sec >= 0 && sec < 1<<20 {
				a.retryAfter = max(time.Duration(sec)*time.Second, time.Millisecond)
			}
		}
		return
	}
	for _, secret := range secrets(a.remote.url) {
		l = strings.ReplaceAll(l, secret, "***")
	}
	if l != "" && len(a.text) < distgit.TailSize {
		a.text += l + "\n"
	}
}

// classify words the failure of a fetch and says whether it is final; what the
// server merely does not have by that name is errFallBack. The words looked
// for are git's in the C locale.
func (a *answer) classify(remote *address, err error) (failed error, final bool) {
	if _, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return err, true
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(a.text, w) })
	}
	said := a.words(remote, err)
	full := noRoom(a.text, said)
	switch {
	case has("couldn't find remote ref", "not our ref", "unadvertised object"):
		return errFallBack, true
	case has("transport '", "protocol is disabled", "Protocol \"", "redirects followed"):
		return diag.Environment(diag.Errorf("fedora/network", "fetch %s: %s", remote.shown, said), "the server leads to an address that is not allowed"), true
	case has("returned error: 404", "' not found", "Repository not found", "does not appear to be a git repository", "epository does not exist"):
		d := diag.Errorf("fedora/no-repository", "%s does not exist: %s", remote.shown, said)
		d.Hint = "check spec.upstream-name and the distribution's dist-git-base-uri"
		return d, true
	case has("Authentication failed", "could not read Username", "could not read Password", "terminal prompts disabled",
		"returned error: 401", "returned error: 403", "Permission denied (", "Host key verification failed"):
		return diag.Environment(diag.Errorf("fedora/refused", "%s refused access: %s", remote.shown, said), "configure a git credential helper or an ssh key; nobody is prompted"), true
	case full != nil:
		return full, true
	}
	return diag.Environment(diag.Errorf("fedora/network", "fetch %s: %s", remote.shown, said), "check the network, or put a mirror in front with mirror-base-uri"), false
}

// noRoom words git's failure to write to the disk, with the disk as the reason;
// it is nil when all says of no such failure. Not each of git's own phrases for a
// full disk is the system's.
func noRoom(all, said string) error {
	has := func(w string) bool { return strings.Contains(all, w) }
	switch {
	case has("Out of diskspace"):
		said = "no space left on device: " + said
	case !has("No space left on device") && !has("Read-only file system") && !has("Disk quota exceeded"):
		return nil
	}
	return cache.Failure(errors.New(said))
}

// words returns what git said, without the address that the message names anyway.
func (a *answer) words(remote *address, err error) string {
	said := strings.TrimPrefix(err.Error(), "git fetch: ")
	if first, _, _ := strings.Cut(a.text, "\n"); strings.HasPrefix(said, "Could not read from remote repository") && !strings.HasPrefix(first, "fatal: ") {
		said = first // ssh says why
	}
	if rest, ok := strings.CutPrefix(said, "unable to access '"); ok {
		if _, why, ok := strings.Cut(rest, "': "); ok {
			return why
		}
	}
	return strings.ReplaceAll(said, remote.url, remote.shown)
}

// A host is what the store knows about one server: how many may talk to it at
// once, until when nobody should, and whether it is there at all.
type host struct {
	places chan struct{}
	mu     sync.Mutex
	until  time.Time
	lost   int    // fetches that failed, with all attempts, since the last answer
	why    string // of the last one
}

// maxLost is how many fetches in a row may fail before a server counts as down
// and the thousands of others are spared the wait.
const maxLost = 8

// down returns why the server counts as down, or the empty string.
func (h *host) down() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost < maxLost {
		return ""
	}
	return h.why
}

func (h *host) answered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost = 0
}

func (h *host) failed(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost++
	h.why = why
}

func (s *Store) host(a *address) *host {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[a.host]
	if h == nil {
		h = &host{places: make(chan struct{}, s.opt.PerHost)}
		s.hosts[a.host] = h
	}
	return h
}

// enter waits for a place at the server and returns the function that frees it.
func (h *host) enter(ctx context.Context) (func(), error) {
	select {
	case h.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		h.mu.Lock()
		wait := time.Until(h.until)
		h.mu.Unlock()
		if wait <= 0 {
			return func() { <-h.places }, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			<-h.places
			return nil, ctx.Err()
		}
	}
}

// hold keeps everybody away from the server for a while.
func (h *host) hold(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := time.Now().Add(d); t.After(h.until) {
		h.until = t
	}
}
