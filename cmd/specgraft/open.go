package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"specgraft/components"
	"specgraft/components/lock"
	"specgraft/fedora"
	"specgraft/fedora/lookaside"
	"specgraft/overlay/diag"
	"specgraft/render"
	"time"
)

// openStore opens the store for a command that needs no project.
func (g *globals) openStore() (*fedora.Store, error) {
	dir, err := g.cache()
	if err != nil {
		return nil, err
	}
	s, err := fedora.Open(fedora.Options{CacheDir: dir, Offline: true})
	if err != nil {
		return nil, errors.Join(errors.New("the cache cannot be opened"), err)
	}
	g.closers = append(g.closers, s.Close)
	return s, nil
}

// lookaside opens the cache of source files; it is closed when the command ends.
// log gets the talk of downloads, from several goroutines at once.
func (g *globals) lookaside(log func(string)) (*lookaside.Client, error) {
	dir, err := g.workCache()
	if err != nil {
		return nil, err
	}
	opt := fedora.Options{CacheDir: dir, Offline: g.offline, AllowHTTP: g.allowHTTP, PerHost: g.perHost, Retries: max(0, g.retries-1), Log: log}
	l, err := fedora.OpenLookaside(opt)
	if err != nil {
		return nil, err
	}
	g.closers = append(g.closers, l.Close)
	return l, nil
}

// renderer returns a renderer for the project, with the store and caches that
// the global flags choose.
func (g *globals) renderer(p *components.Project) (*render.Renderer, error) {
	store, err := g.store(p)
	if err != nil {
		return nil, err
	}
	cache, err := g.cache()
	if err != nil {
		return nil, err
	}
	r := &render.Renderer{Project: p, Store: store, CacheDir: cache, Build: buildID(), AllowOutside: g.outside}
	if p.Settings.DirtyClock == "now" {
		r.Now = time.Now()
	}
	g.closers = append(g.closers, r.Close)
	return r, nil
}

// loadOptions are the global flags as options of components.Load.
func (g *globals) loadOptions() components.Options {
	return components.Options{
		Dir:          g.projectDir,
		ConfigFiles:  g.configFiles,
		UserFile:     userFile(),
		NoDefaults:   g.noDefaults,
		Permissive:   g.permissive,
		AllowOutside: g.outside,
		Profile:      g.profile,
		WithoutLocks: g.withoutLock.value,
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

// load loads the project. Warnings are printed; errors are returned.
func (g *globals) load() (*components.Project, error) {
	p, problems := components.Load(g.loadOptions())
	if p != nil {
		g.base, g.top = p.Dir, p.Root
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, &diag.Diagnostic{Code: "config/no-project", Message: "no azldev.toml here or in a directory above",
			Hint: "go to a project, or name one with -C DIR"}
	}
	g.report(problems)
	return p, nil
}

// cache returns the cache directory that outlives this run.
func (g *globals) cache() (string, error) {
	if g.cacheDir != "" {
		return filepath.Abs(g.cacheDir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; name one with --cache-dir", err)
	}
	return filepath.Join(dir, "specgraft"), nil
}

// workCache is cache for commands whose result is not the cache itself: for a
// user without a home directory, as services and containers have, it makes one
// that goes away when the command ends.
func (g *globals) workCache() (string, error) {
	dir, err := g.cache()
	if err == nil || g.cacheDir != "" {
		return dir, err
	}
	dir, err = os.MkdirTemp("", "specgraft-cache-")
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; name one with --cache-dir", err)
	}
	g.note("neither $XDG_CACHE_HOME nor $HOME is set: nothing is kept in a cache; name one with --cache-dir")
	g.cacheDir = dir
	g.closers = append(g.closers, func() error { return os.RemoveAll(dir) })
	return dir, nil
}

// store opens the upstream store; it is closed when the command ends.
func (g *globals) store(p *components.Project) (*fedora.Store, error) {
	dir, err := g.workCache()
	if err != nil {
		return nil, err
	}
	opt := fedora.Options{CacheDir: dir, Offline: g.offline, AllowHTTP: g.allowHTTP, PerHost: g.perHost, Retries: max(0, g.retries-1)}
	if g.verbose {
		opt.Log = func(line string) { g.note("%s", line) }
	}
	s, err := fedora.Open(opt)
	if err != nil {
		return nil, err
	}
	g.closers = append(g.closers, s.Close)
	return s, nil
}

// fetchPackage brings the source package of a component into the cache and
// returns its checksum.
func fetchPackage(ctx context.Context, p *components.Project, store *fedora.Store, c *components.Component, u components.Upstream) (string, error) {
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

// isLockless reports whether the project keeps pins instead of lock files.
func (g *globals) isLockless() (bool, error) {
	o := g.loadOptions()
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
