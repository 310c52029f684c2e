// Package presentation is the bridge between what guests draw and the screen
// on which it is shown. It owns the surfaces (one per scanout of a guest),
// their lifecycle, the rules of what a frame may be, and how its pixels are
// read out of the guest's memory with one copy each.
//
// It does not talk to guests and touches no screen: sources, as package
// vhostgpu, tell a [Bridge] what was drawn, and a [Sink] shows it. Package
// display puts the two together.
//
// Everything that describes a frame comes from a guest and is believed in
// nothing: a [Picture] can only be made from a [Frame] that was checked against
// the guest's memory.
package presentation
