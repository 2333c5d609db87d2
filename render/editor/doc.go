// Package editor is what an editor shows of a project while its files are being
// typed: problems, explanations, completions, places and changes.
//
// A Session stands for one project. It has the unsaved text of the files that
// are open and answers questions about a snapshot of all files, by the means
// that the command line has: the same loader, the same overlays, the same
// renderer, the same lint, so that positions, codes and texts agree. It loads
// what changed and renders the components that a file touches, and nothing
// else. It never talks to the network, never writes a file and never executes
// anything; changes are handed out as edits for the editor to apply.
//
//	s := editor.NewSession(dir, editor.Options{Renderer: open})
//	s.SetText(path, text)
//	snap := s.Snapshot()
//	hover := snap.Hover(ctx, path, point)
//
// Package lsp beside it speaks the Language Server Protocol.
package editor
