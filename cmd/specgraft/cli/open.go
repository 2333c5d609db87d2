package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/fedora/lookaside"
	"specgraft/overlay/diag"
	"specgraft/render"
)

// OpenStore opens the store for a command that needs no project.
func (g *Globals) OpenStore() (*fedora.Store, error) {
	dir, err := g.Cache()
	if err != nil {
		return nil, err
	}
	s, err := fedora.Open(fedora.Options{CacheDir: dir, Offline: true})
	if err != nil {
		return nil, errors.Join(errors.New("the cache cannot be opened"), err)
	}
	g.Closers = append(g.Closers, s.Close)
	return s, nil
}

// Lookaside opens the cache of source files; it is closed when the command ends.
// log gets the talk of downloads, from several goroutines at once.
func (g *Globals) Lookaside(log func(string)) (*lookaside.Client, error) {
	dir, err := g.WorkCache()
	if err != nil {
		return nil, err
	}
	opt := fedora.Options{CacheDir: dir, Offline: g.Offline, AllowHTTP: g.AllowHTTP, PerHost: g.PerHost, Retries: max(0, g.Retries-1), Log: log}
	l, err := fedora.OpenLookaside(opt)
	if err != nil {
		return nil, err
	}
	g.Closers = append(g.Closers, l.Close)
	return l, nil
}

// Renderer returns a renderer for the project, with the store and caches that
// the global flags choose.
func (g *Globals) Renderer(p *components.Project) (*render.Renderer, error) {
	store, err := g.Store(p)
	if err != nil {
		return nil, err
	}
	cache, err := g.Cache()
	if err != nil {
		return nil, err
	}
	r := &render.Renderer{Project: p, Store: store, CacheDir: cache, Build: BuildID(), AllowOutside: g.Outside}
	if p.Settings.DirtyClock == "now" {
		r.Now = time.Now()
	}
	g.Closers = append(g.Closers, r.Close)
	return r, nil
}

// LoadOptions are the global flags as options of components.Load.
func (g *Globals) LoadOptions() components.Options {
	return components.Options{
		Dir:          g.ProjectDir,
		ConfigFiles:  g.configFiles,
		UserFile:     userFile(),
		NoDefaults:   g.noDefaults,
		Permissive:   g.Permissive,
		AllowOutside: g.Outside,
		Profile:      g.profile,
		WithoutLocks: g.WithoutLock.Value,
		OpenArchives: g.OpenArchives,
	}
}

// userFile returns the path of the user's own configuration. It keeps azldev's
// place, so that both tools see one project alike.
func userFile() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home := os.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "azldev", "config.toml")
}

// Load loads the project whole. Warnings are printed; errors are returned.
func (g *Globals) Load() (*components.Project, error) {
	return g.loaded(components.Load(g.LoadOptions()))
}

// LoadComponents loads the project for what is done with its components: package
// groups that did not change since the last time are left out.
func (g *Globals) LoadComponents() (*components.Project, error) { return g.loaded(g.loadComponents()) }

func (g *Globals) loadComponents() (*components.Project, diag.List) {
	dir, err := g.Cache()
	if err != nil || g.ReadAll {
		return components.Load(g.LoadOptions())
	}
	return render.Load(g.LoadOptions(), dir, BuildID())
}

func (g *Globals) loaded(p *components.Project, problems diag.List) (*components.Project, error) {
	if p != nil {
		g.Base, g.Top = p.Dir, p.Root
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, &diag.Diagnostic{Code: "config/no-project", Message: "no azldev.toml here or in a directory above",
			Hint: "go to a project, or name one with -C DIR"}
	}
	g.Report(problems)
	return p, nil
}

// Cache returns the cache directory that outlives this run.
func (g *Globals) Cache() (string, error) {
	if g.cacheDir != "" {
		return filepath.Abs(g.cacheDir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; name one with --cache-dir", err)
	}
	return filepath.Join(dir, "specgraft"), nil
}

// WorkCache is cache for commands whose result is not the cache itself: for a
// user without a home directory, as services and containers have, it makes one
// that goes away when the command ends.
func (g *Globals) WorkCache() (string, error) {
	dir, err := g.Cache()
	if err == nil || g.cacheDir != "" {
		return dir, err
	}
	dir, err = g.TempDir("cache")
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; name one with --cache-dir", err)
	}
	g.Note("neither $XDG_CACHE_HOME nor $HOME is set: nothing is kept in a cache; name one with --cache-dir")
	g.cacheDir = dir
	return dir, nil
}

// ReadAhead begins to read what the store will be asked about all components, while
// the project is loaded.
func (g *Globals) ReadAhead() {
	if dir, err := g.Cache(); err == nil {
		g.ahead = fedora.ReadAhead(dir)
	}
}

// Store opens the upstream store; it is closed when the command ends.
func (g *Globals) Store(p *components.Project) (*fedora.Store, error) {
	dir, err := g.WorkCache()
	if err != nil {
		return nil, err
	}
	opt := fedora.Options{CacheDir: dir, Offline: g.Offline, AllowHTTP: g.AllowHTTP, PerHost: g.PerHost, Retries: max(0, g.Retries-1)}
	opt.Ahead, g.ahead = g.ahead, nil
	if g.Verbose {
		opt.Log = func(line string) { g.Note("%s", line) }
	}
	s, err := fedora.Open(opt)
	if err != nil {
		return nil, err
	}
	g.Closers = append(g.Closers, s.Close)
	return s, nil
}

// FetchPackage brings the source package of a component into the cache and
// returns its checksum.
func FetchPackage(ctx context.Context, p *components.Project, store *fedora.Store, c *components.Component, u distro.Upstream) (string, error) {
	packages, err := store.SourcePackages()
	if err != nil {
		return "", err
	}
	req := render.PackageRequest(c, u)
	if lock, err := lock.Read(p, c.Name); err == nil && lock != nil {
		req.SHA256 = lock.UpstreamCommit
	}
	if req.SHA256, err = packages.Resolve(ctx, req); err != nil {
		return "", err
	}
	_, err = packages.Snapshot(ctx, req)
	return req.SHA256, err
}

// IsLockless reports whether the project keeps pins instead of lock files.
func (g *Globals) IsLockless() (bool, error) {
	o := g.LoadOptions()
	if o.WithoutLocks != nil {
		return *o.WithoutLocks, nil
	}
	o.Permissive = true
	p, problems := components.Load(o)
	if p == nil {
		return false, problems.Err()
	}
	return p.WithoutLocks, nil
}
