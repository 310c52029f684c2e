// Package sketch shows partition tables to people: as a bar of characters that is to scale
// and as a list, no wider than a terminal of 80 columns. Names on a disk are whatever
// their maker wanted them to be; nothing of them reaches the terminal but printable
// characters.
package sketch
