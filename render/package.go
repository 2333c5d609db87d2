package render

import (
	"context"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/fedora/snapshot"
	"specgraft/fedora/srpm/reader"
)

// sourcePackage reads a component whose packaging is a source RPM. It has no
// history but the project's own, as a local component.
func (r *Renderer) sourcePackage(ctx context.Context, c *components.Component, u distro.Upstream, src *Source) (*snapshot.Snapshot, error) {
	packages, err := r.Store.SourcePackages()
	if err != nil {
		return nil, err
	}
	src.Local = true
	req := PackageRequest(c, u)
	if src.Lock != nil {
		req.SHA256 = src.Lock.UpstreamCommit
	}
	if req.SHA256, err = packages.Resolve(ctx, req); err != nil {
		return nil, err
	}
	src.Commit = req.SHA256
	return packages.Snapshot(ctx, req)
}

// PackageRequest says which source package a component is made from, apart from
// what its lock says.
func PackageRequest(c *components.Component, u distro.Upstream) reader.Request {
	return reader.Request{Name: u.Name, Address: u.SRPM, Repos: u.SourceRepos(), Component: c.Name}
}
