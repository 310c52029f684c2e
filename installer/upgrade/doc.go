// Package upgrade knows how an installed RayOS gets a new version so that it comes back
// by itself if that is a bad one, and so that a cut of the power at any moment leaves it
// with the old one or the new one.
//
// The entry rayos starts the newest version, rayos-old the one before. What each starts
// is files with names of their own; the write that changes what the entry rayos starts is
// the one from which on the machine boots the new version. The boot policy tries that three
// times, as any entry whose content is new, and then turns to rayos-old, which also stays as
// a golden snapshot. See docs/install.md.
package upgrade
