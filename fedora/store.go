package fedora

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/fedora/lookaside"
	"specgraft/fedora/srpm/reader"
	"specgraft/overlay/diag"
)

// Options says where a Store keeps its files and what it may do to get them.
type Options struct {
	// CacheDir holds mirror and content cache; empty means "specgraft" below
	// os.UserCacheDir.
	CacheDir string
	// Offline forbids every child process that could reach for the network.
	Offline bool
	// Retries is how often a failed network operation is tried again; negative means 0.
	Retries int
	// AllowHTTP permits unencrypted http:// addresses. Offline nothing is
	// fetched from them, and they need no permission.
	AllowHTTP bool
	// PerHost bounds parallel fetches from one host; 0 means 8.
	PerHost int
	// Backoff is the wait before the first retry, doubled for each further one
	// and spread by up to half of it; 0 means two seconds.
	Backoff time.Duration
	// Stall is how long a transfer may stand still before it counts as
	// failed; 0 means one minute.
	Stall time.Duration
	// Ahead is what ReadAhead has begun; nil for nothing.
	Ahead *Ahead
	// Log receives one line of talk (a retry, a redirect); nil drops it. It
	// may be called from several goroutines at once.
	Log func(line string)
}

// A Store gives access to upstream packaging: dist-git repositories fetched
// once into a local mirror, and a content cache that makes reading the same
// commit again cost one file. It is safe for concurrent use, also by several
// processes on one directory.
type Store struct {
	opt       Options
	git       distgit.Git
	repos     *distgit.Pool
	facts     facts
	addresses addresses
	ctx       context.Context
	cancel    context.CancelFunc

	packagesOnce sync.Once
	packages     *reader.Packages
	packagesErr  error

	mu        sync.Mutex
	upstreams map[string]*upstream
	hosts     map[string]*host
}

// An upstream is what the store knows about one repository address.
type upstream struct {
	open      sync.Mutex // held while finding out the fields up to the next blank line; addr is set last
	addr      *address
	places    []place    // where objects may be found locally, best first; the mirror is last
	remotes   []*address // where they can be fetched from, best first
	mirrorDir string     // the mirror among the places, empty without remotes

	mu    sync.Mutex // held while fetching
	tried map[string]*attempt

	note sync.Mutex // guards last
	last Request    // the latest request for it
}

// A place is a local repository.
type place struct {
	dir     string
	inPlace bool // not ours: a file:// address
	shown   string
}

// complete returns the options with defaults in place of what is not set.
func (o Options) complete() (Options, error) {
	if o.CacheDir == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return o, diag.Environment(diag.Errorf("fedora/cache", "there is no cache directory: %v", err), "name one with --cache-dir")
		}
		o.CacheDir = filepath.Join(dir, "specgraft")
	}
	abs, err := filepath.Abs(o.CacheDir)
	if err != nil {
		return o, cache.Failure(err)
	}
	o.CacheDir = abs
	o.Retries = max(o.Retries, 0)
	if o.PerHost <= 0 {
		o.PerHost = 8
	}
	if o.Backoff <= 0 {
		o.Backoff = 2 * time.Second
	}
	if o.Stall <= 0 {
		o.Stall = time.Minute
	}
	return o, nil
}

// OpenLookaside prepares downloads with the same options as a Store has.
func OpenLookaside(o Options) (*lookaside.Client, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	return lookaside.Open(lookaside.Options{
		Dir: filepath.Join(o.CacheDir, "lookaside"), Offline: o.Offline, AllowHTTP: o.AllowHTTP,
		Retries: o.Retries, PerHost: o.PerHost, Backoff: o.Backoff, Stall: o.Stall, Log: o.Log,
	}), nil
}

// SourcePackages returns the access to source packages, with the store's
// options.
func (s *Store) SourcePackages() (*reader.Packages, error) {
	s.packagesOnce.Do(func() {
		var l *lookaside.Client
		if l, s.packagesErr = OpenLookaside(s.opt); s.packagesErr == nil {
			s.packages = reader.NewPackages(s.opt.CacheDir, l)
		}
	})
	return s.packages, s.packagesErr
}

// Open prepares a store. It creates no file before there is something to keep.
func Open(o Options) (*Store, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	s := &Store{opt: o, upstreams: map[string]*upstream{}, hosts: map[string]*host{}}
	s.facts.path, s.facts.ahead = factsPath(o.CacheDir), o.Ahead
	s.addresses.allowHTTP = o.AllowHTTP || o.Offline // what is there already needs no leave
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.repos = distgit.NewPool(s.ctx, &s.git)
	return s, nil
}

// CacheDir returns the absolute path of the cache directory.
func (s *Store) CacheDir() string { return s.opt.CacheDir }

// Close ends child processes and writes what is pending. Repositories that
// were opened through the store are unusable afterwards.
func (s *Store) Close() error {
	s.repos.Close()
	s.cancel()
	return s.facts.close()
}

// A Request names the commit that a component is made from.
type Request struct {
	URL    string // https, ssh, file (or http when allowed); file:// repositories are read in place
	Branch string // branch name without refs/heads/
	// Commit is the locked or pinned commit, full or abbreviated to at least
	// seven digits; empty to take the snapshot or the branch head.
	Commit string
	// Snapshot selects the newest first-parent commit whose committer date is
	// at or before it; the zero time means the branch head as last fetched.
	Snapshot time.Time
	// Component is named in messages and in the hint "specgraft fetch NAME".
	Component string
	// Mirrors are addresses tried, in order, before URL. Of the requests for
	// one URL the first one's count.
	Mirrors []string
	// Refresh asks the server for the present state of the branch, once in the
	// life of the store, even where the mirror has an answer.
	Refresh bool
	// Shallow allows fetching without the commits behind the wanted one,
	// which the release and changelog computation would need.
	Shallow bool
}

// check validates branch and commit and returns the request with its commit
// name in lower case.
func (r Request) check() (Request, error) {
	if r.Commit != "" {
		var err error
		if r.Commit, err = distgit.CheckCommitName(r.Commit); err != nil {
			return r, err
		}
	}
	if r.Branch != "" || r.Commit == "" {
		return r, distgit.CheckRefName(r.Branch)
	}
	return r, nil
}

// upstream returns the state of the repository that r is about.
func (s *Store) upstream(r Request) (*upstream, error) {
	s.mu.Lock()
	u := s.upstreams[r.URL]
	if u == nil {
		u = &upstream{tried: map[string]*attempt{}}
		s.upstreams[r.URL] = u
	}
	s.mu.Unlock()
	// Unpacking a bundle takes a while, which nobody else should wait for.
	u.open.Lock()
	defer u.open.Unlock()
	if u.addr == nil {
		if err := s.locate(u, r); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// locate finds out where the repository that r is about is kept and fetched
// from. After an error u is as it was.
func (s *Store) locate(u *upstream, r Request) error {
	addr, err := s.addresses.parse(r.URL)
	if err != nil {
		return err
	}
	var places []place
	var remotes []*address
	for _, raw := range append(slices.Clone(r.Mirrors), r.URL) {
		a, err := s.addresses.parse(raw)
		if err != nil {
			return err
		}
		if a.scheme != "file" {
			remotes = append(remotes, a)
			continue
		}
		if isBundle(a.dir) {
			if a.dir, err = s.unpackBundle(a.dir); err != nil {
				return err
			}
		}
		places = append(places, place{dir: a.dir, inPlace: true, shown: a.shown})
	}
	if len(remotes) > 0 {
		// What a mirror serves is kept under the address that it stands for.
		at := addr
		if at.mirror == "" {
			at = remotes[0]
		}
		u.mirrorDir = filepath.Join(s.opt.CacheDir, at.mirror)
		places = append(places, place{dir: u.mirrorDir, shown: at.shown})
	}
	u.places, u.remotes, u.addr = places, remotes, addr
	return nil
}

// remember keeps the request for messages and for fetching later on.
func (u *upstream) remember(r Request) {
	u.note.Lock()
	defer u.note.Unlock()
	u.last = r
}

// request returns the latest request, or one for the address alone.
func (u *upstream) request() Request {
	u.note.Lock()
	defer u.note.Unlock()
	r := u.last
	r.URL = u.addr.url
	return r
}

// acquire opens a local repository of u, with a running process where one is idle.
func (s *Store) acquire(u *upstream, p place) (*distgit.Repo, error) {
	r, ok := s.repos.Open(p.dir)
	if !ok {
		return nil, noRepository(u, p)
	}
	return r, nil
}

// withCommit calls read with a repository that has the commit.
func (s *Store) withCommit(ctx context.Context, url, commit string, read func(*distgit.Repo) error) error {
	u, err := s.upstream(Request{URL: url})
	if err != nil {
		return err
	}
	r := u.request()
	r.Commit = commit
	return s.tryPlaces(ctx, u, r, func(i int) error {
		repo, err := s.acquire(u, u.places[i])
		if err != nil {
			return err
		}
		defer repo.Close()
		err = read(repo)
		if errors.Is(err, fs.ErrNotExist) {
			return s.missingCommit(ctx, u, u.places[i], commit)
		}
		return err
	})
}

// Repo opens the repository behind a URL for reading history, after Resolve
// has been asked about it. Unless the store is offline, a repository that was
// fetched without history is completed first. Close it after use; it must not
// be used after the store is closed.
func (s *Store) Repo(ctx context.Context, url string) (*distgit.Repo, error) {
	u, err := s.upstream(Request{URL: url})
	if err != nil {
		return nil, err
	}
	r := u.request()
	r.Shallow = false
	var repo *distgit.Repo
	err = s.tryPlaces(ctx, u, r, func(i int) error {
		p := u.places[i]
		got, err := s.acquire(u, p)
		if err != nil {
			return err
		}
		if !p.inPlace && len(got.Shallow()) > 0 {
			got.Close()
			return cutOff(p)
		}
		if distgit.IsObjectID(r.Commit) {
			// Its files may come from the content cache, its history cannot.
			if _, err := got.Commit(r.Commit); errors.Is(err, fs.ErrNotExist) {
				got.Close()
				return s.missingCommit(ctx, u, p, r.Commit)
			} else if err != nil {
				got.Close()
				return err
			}
		}
		repo = got
		return nil
	})
	return repo, err
}

func (s *Store) log(format string, args ...any) {
	if s.opt.Log != nil {
		s.opt.Log(fmt.Sprintf(format, args...))
	}
}
