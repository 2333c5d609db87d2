package fedora

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"specgraft/fedora/cache"
	"specgraft/fedora/distgit"
	"specgraft/overlay/diag"
)

// Resolve returns the full name of the commit that r selects: the commit it
// names, else the newest first-parent commit of the branch at or before the
// snapshot by committer date (git rev-list -1 --first-parent --before), else
// the branch head as last fetched. A full commit name is returned as it is;
// whether it exists turns out when it is read. Unless the store is offline,
// what is missing locally is fetched once.
func (s *Store) Resolve(ctx context.Context, r Request) (string, error) {
	u, err := s.upstream(r)
	if err != nil {
		return "", err
	}
	if r, err = r.check(); err != nil {
		return "", err
	}
	u.remember(r)
	if distgit.IsObjectID(r.Commit) {
		return r.Commit, nil
	}
	if r.Refresh && !s.opt.Offline && len(u.remotes) > 0 {
		if err := s.fetchOnce(ctx, u, r); err != nil {
			return "", err
		}
	}
	var id string
	err = s.tryPlaces(ctx, u, r, func(i int) error {
		var err error
		id, err = s.resolveIn(ctx, u, u.places[i], r)
		return err
	})
	return id, err
}

// tryPlaces calls try for each place of u until one works; when none does and
// the network may be used, it fetches r and tries once more.
func (s *Store) tryPlaces(ctx context.Context, u *upstream, r Request, try func(i int) error) error {
	err := s.eachPlace(u, try)
	if err == nil || !isMissing(err) || len(u.remotes) == 0 {
		return err
	}
	if cerr := ctx.Err(); cerr != nil {
		return cerr
	}
	if s.opt.Offline {
		return s.offlineError(u, err)
	}
	if err := s.fetchOnce(ctx, u, r); err != nil {
		return err
	}
	return s.eachPlace(u, try)
}

// eachPlace calls try for each place of u until one works. The order is always
// the same, so that what a branch is does not depend on what was asked before.
func (s *Store) eachPlace(u *upstream, try func(i int) error) error {
	var failed error
	for i := range u.places {
		err := try(i)
		if err == nil || !isMissing(err) {
			return err
		}
		// The first place is the one that is meant to have it, but that one
		// exists and lacks something says more than that it is not there.
		if failed == nil || diag.HasCode(failed, "fedora/no-repository") {
			failed = err
		}
	}
	return failed
}

// isMissing reports whether a fetch may help against err.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) ||
		diag.HasCode(err, "fedora/no-repository", "fedora/no-branch", "fedora/missing-commit", "fedora/no-snapshot", "fedora/stale")
}

// offlineError says what is missing and which command gets it.
func (s *Store) offlineError(u *upstream, missing error) error {
	what := missing.Error()
	if d, ok := errors.AsType[*diag.Diagnostic](missing); ok {
		what = d.Message
	}
	return diag.Environment(diag.Errorf("fedora/offline", "%s, and the network must not be used", what), u.fetchHint())
}

func (u *upstream) fetchHint() string {
	if name := u.request().Component; name != "" {
		return fmt.Sprintf("run \"specgraft fetch %s\" once with network access", name)
	}
	return "run \"specgraft fetch -a\" once with network access"
}

// resolveIn resolves r in one local repository.
func (s *Store) resolveIn(ctx context.Context, u *upstream, p place, r Request) (string, error) {
	if r.Commit != "" {
		key := "short:" + r.Commit + ":" + u.addr.shown
		if id, ok := s.facts.get(key); ok {
			return id, nil
		}
		repo, err := s.acquire(u, p)
		if err != nil {
			return "", err
		}
		defer repo.Close()
		id, err := repo.RevParse(r.Commit)
		if errors.Is(err, fs.ErrNotExist) {
			d := diag.Errorf("fedora/missing-commit", "commit %s is not in %s", r.Commit, p.shown)
			d.Hint = "check spec.upstream-commit"
			return "", d
		}
		if err == nil {
			s.facts.put(key, id)
		}
		return id, err
	}
	head, err := s.branchHead(u, p, r.Branch)
	if err != nil || r.Snapshot.IsZero() {
		return head, err
	}
	if !p.inPlace {
		// What was pushed after the last fetch may be older than the snapshot.
		// A snapshot in the future stands for the branch head.
		if at, ok := readFetchState(p.dir)[r.Branch]; ok && at < r.Snapshot.Unix() && r.Snapshot.Before(time.Now()) {
			return "", diag.Errorf("fedora/stale", "the mirror of %s was last fetched before the snapshot %s", p.shown, r.Snapshot.Format(time.RFC3339))
		}
	}
	key := snapshotKey(head, r.Snapshot.Unix())
	if id, ok := s.facts.get(key); ok {
		return id, nil
	}
	repo, err := s.acquire(u, p)
	if err != nil {
		return "", err
	}
	defer repo.Close()
	id, err := newestBefore(ctx, repo, head, r.Snapshot.Unix())
	switch {
	case errors.Is(err, errCutOff):
		return "", diag.Errorf("fedora/missing-commit", "the history of branch %s of %s is cut off before the snapshot %s", r.Branch, p.shown, r.Snapshot.Format(time.RFC3339))
	case err != nil:
		return "", err
	case id == "":
		d := diag.Errorf("fedora/no-snapshot", "branch %s of %s has no commit at or before the snapshot %s", r.Branch, p.shown, r.Snapshot.Format(time.RFC3339))
		d.Hint = "choose a later snapshot, or pin a commit with spec.upstream-commit"
		return "", d
	}
	s.facts.put(key, id)
	return id, nil
}

// errCutOff says that a shallow repository ends before what was looked for.
var errCutOff = errors.New("history is cut off")

// newestBefore walks first parents from head to the first commit whose
// committer date is at or before unix; empty when there is none.
func newestBefore(ctx context.Context, r *distgit.Repo, head string, unix int64) (string, error) {
	for id := head; ; {
		c, err := r.Commit(id)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && id != head && len(r.Shallow()) > 0 {
				return "", errCutOff
			}
			return "", err
		}
		if c.Committer.When.Unix() <= unix {
			return id, nil
		}
		if len(c.Parents) == 0 {
			return "", nil
		}
		if r.Shallow()[id] {
			return "", errCutOff
		}
		id = c.Parents[0]
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
}

// branchHead returns the commit that a branch of a local repository points to.
func (s *Store) branchHead(u *upstream, p place, branch string) (string, error) {
	name := "refs/heads/" + branch
	// Bare, with refs in files, is what nearly every repository is.
	bare := distgit.Dir{GitDir: p.dir, Common: p.dir}
	if id, ok := s.packedHead(bare, name); ok {
		return id, nil
	}
	id, err := bare.Ref(name)
	if err == nil {
		return id, nil
	}
	at, ok := distgit.FindDir(p.dir)
	if !ok {
		return "", noRepository(u, p)
	}
	if id, err = at.Ref(name); errors.Is(err, distgit.ErrRefBackend) {
		var repo *distgit.Repo
		if repo, err = s.acquire(u, p); err != nil {
			return "", err
		}
		defer repo.Close()
		id, err = repo.RevParse(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		d := diag.Errorf("fedora/no-branch", "%s has no branch %q", p.shown, branch)
		if near := diag.Nearest(branch, at.Branches()); near != "" {
			d.Hint = fmt.Sprintf("there is a branch %q; or pin a commit with spec.upstream-commit", near)
		} else {
			d.Hint = "choose another version with spec.upstream-distro, or pin a commit with spec.upstream-commit"
		}
		return "", d
	}
	if _, worded := errors.AsType[*diag.Diagnostic](err); err != nil && !worded {
		err = diag.Environment(diag.Errorf("fedora/unreadable-repository", "branch %s of %s: %v", branch, p.shown, err), "")
	}
	return id, err
}

// packedHead returns the commit of a branch that has no file of its own, from what
// is remembered of the file that it shares with others while the file system says
// that this is still the same.
func (s *Store) packedHead(bare distgit.Dir, name string) (string, bool) {
	if _, err := cache.Identify(bare.GitDir + "/" + name); !errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	now := time.Now().UnixNano()
	file, err := cache.Identify(bare.PackedRefs())
	if err != nil || file.Racy(now) {
		return "", false
	}
	key := packedKey(bare.GitDir, name, file)
	if id, ok := s.facts.get(key); ok {
		return id, true
	}
	id, err := bare.PackedRef(name) // asked about before it is read: a new file is another one
	if err != nil {
		return "", false
	}
	s.facts.put(key, id)
	return id, true
}

func noRepository(u *upstream, p place) error {
	if p.inPlace {
		if _, err := os.Stat(p.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diag.Environment(diag.Errorf("fedora/unreadable-repository", "repository %s cannot be read: %v", p.shown, diag.Reason(err)), "")
		}
		d := diag.Errorf("fedora/no-repository", "there is no git repository at %s", p.shown)
		d.Hint = "check spec.upstream-name and the distribution's dist-git-base-uri"
		return d
	}
	d := diag.Errorf("fedora/no-repository", "%s is not in the mirror", p.shown)
	d.Hint = u.fetchHint()
	return d
}
