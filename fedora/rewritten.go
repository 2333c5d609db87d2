package fedora

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"specgraft/fedora/distgit"
	"specgraft/fedora/snapshot"
	"specgraft/overlay/diag"
)

// maxWalk bounds how many commits are looked at to find one again.
const maxWalk = 1 << 20

// A Known is what is remembered of a commit besides what the store remembers.
type Known struct {
	Tree string // object name of its files; "" for nothing
	When time.Time
}

// Successor says what became of a commit that a lock or pin names: the commit
// itself while a branch of r's repository has it, else the nearest commit with
// the same files, first on r's branch, and "" when upstream has rewritten its
// history and none is known. With r.Commit only the first-parent history of that
// one counts. What files a lost commit had is known while the repository still
// keeps it, or the content cache does, or from known. The branches are looked at
// as the server has them now, unless the store is offline.
func (s *Store) Successor(ctx context.Context, r Request, commit string, known Known) (string, error) {
	u, err := s.upstream(r)
	if err != nil {
		return "", err
	}
	if r, err = r.check(); err != nil {
		return "", err
	}
	u.remember(r)
	if !s.opt.Offline && len(u.remotes) > 0 {
		if err := s.fetchOnce(ctx, u, r); err != nil {
			return "", err
		}
	}
	found := ""
	err = s.eachPlace(u, func(i int) error {
		found, err = s.successorIn(ctx, u, u.places[i], r, commit, known)
		return err
	})
	return found, err
}

func (s *Store) successorIn(ctx context.Context, u *upstream, p place, r Request, commit string, known Known) (string, error) {
	repo, err := s.acquire(u, p)
	if err != nil {
		return "", err
	}
	defer repo.Close()
	if len(repo.Shallow()) > 0 {
		return "", cutOff(p)
	}
	tree, when := s.remembered(ctx, repo, commit)
	if tree == "" {
		tree, when = known.Tree, known.When
	}
	if id, err := repo.RevParse(commit); err == nil {
		commit = id // it may have been abbreviated
	}
	if r.Commit == "" {
		return nearestTwin(ctx, repo, heads(p, r.Branch), commit, tree, when, false)
	}
	head, err := s.resolveIn(ctx, u, p, r)
	if err != nil {
		return "", err
	}
	return nearestTwin(ctx, repo, []string{head}, commit, tree, when, true)
}

// remembered returns what is still known of a commit: its tree and its date, ""
// and the zero time where they are not.
func (s *Store) remembered(ctx context.Context, repo *distgit.Repo, commit string) (tree string, when time.Time) {
	id, err := repo.RevParse(commit)
	if err == nil {
		if c, err := repo.Commit(id); err == nil {
			return c.Tree, c.Committer.When
		}
	}
	if distgit.IsObjectID(commit) {
		if snap, err := snapshot.Open(ctx, s.opt.CacheDir, commit, nil); err == nil {
			return snap.Tree, when
		}
	}
	return "", when
}

// heads returns the commits that the branches of a local repository point to, the
// given branch first.
func heads(p place, branch string) []string {
	at, ok := distgit.FindDir(p.dir)
	if !ok {
		return nil
	}
	branches := at.Branches()
	slices.Sort(branches)
	var list []string
	for _, b := range append([]string{branch}, branches...) {
		if b == "" {
			continue
		}
		if id, err := at.Ref("refs/heads/" + b); err == nil && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// nearestTwin looks for a commit in the history of heads, and for the one with
// the given tree whose date is nearest to when: of the first head that has any.
// The commit itself goes before all others. With mainline only first parents are
// looked at.
func nearestTwin(ctx context.Context, repo *distgit.Repo, heads []string, commit, tree string, when time.Time, mainline bool) (string, error) {
	twin, apart, looked := "", time.Duration(0), 0
	seen := map[string]bool{}
	for _, head := range heads {
		decided := twin != ""
		for todo := []string{head}; len(todo) > 0; {
			id := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if seen[id] {
				continue
			}
			if seen[id] = true; id == commit {
				return id, nil
			}
			if looked++; looked > maxWalk || looked%1024 == 0 && ctx.Err() != nil {
				return twin, ctx.Err()
			}
			c, err := repo.Commit(id)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return "", err
			}
			if c.Tree == tree && !decided {
				d := c.Committer.When.Sub(when).Abs()
				if twin == "" || !when.IsZero() && d < apart {
					twin, apart = id, d
				}
			}
			parents := c.Parents
			if mainline && len(parents) > 1 {
				parents = parents[:1]
			}
			for _, parent := range slices.Backward(parents) { // the first one next
				todo = append(todo, parent)
			}
		}
	}
	return twin, nil
}

// missingCommit says that a repository lacks a commit, and names the nearest one
// with the same files where there is one.
func (s *Store) missingCommit(ctx context.Context, u *upstream, p place, commit string) error {
	d := diag.Errorf("fedora/missing-commit", "commit %s is not in %s", distgit.ShortID(commit), p.shown)
	d.Hint = "the lock or spec.upstream-commit names a commit of another repository, or upstream has rewritten its history"
	repo, err := s.acquire(u, p)
	if err != nil {
		return d
	}
	defer repo.Close()
	if p.inPlace && len(repo.Shallow()) > 0 {
		d.Message += ", which is a shallow clone"
		d.Hint = "run git -C " + p.dir + " fetch --unshallow"
		return d
	}
	tree, when := s.remembered(ctx, repo, commit)
	if tree == "" {
		return d
	}
	r := u.request()
	if twin, err := nearestTwin(ctx, repo, heads(p, r.Branch), commit, tree, when, false); err == nil && twin != "" && twin != commit {
		d.Message += ", whose history was rewritten"
		d.Hint = "commit " + twin + " has the same files: " + AcceptRewritten(r.Component) + " takes it"
	}
	return d
}

// AcceptRewritten is the command that replaces what a rewritten history has lost.
func AcceptRewritten(component string) string {
	if component == "" {
		component = "-a"
	}
	return "`specgraft update --accept-rewritten " + component + "`"
}
