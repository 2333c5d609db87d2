// Package hostile has no code: its tests run the program against who means harm
// and what fails. Specs, configuration, repositories, archives, packages and
// servers that somebody made to harm whoever reads them; signals and SIGKILL at
// any moment; disks that are full, trees that cannot be written, and output that
// nobody takes.
//
// SPECGRAFT_HOSTILE=all runs every case under strace, where that is installed,
// and SPECGRAFT_KILLS=100 kills each command that often.
package hostile
