// Package guests is what process 1 and the commands guest and show know of the program that runs guests: where it listens,
// what it can be asked, how its lines are meant, and where on the machine guests come from.
//
// The program itself is package host. It is a process of its own, which process 1 keeps: what hostile guests say is never
// decoded in process 1, and when it ends its guests have ended with it.
package guests

// Service is the name of the program, among the services of process 1 and in the multicall binary.
const Service = "guests"

// TellFD is the descriptor on which the program writes lines for all consoles and the log. What it writes on its standard
// output is for the log alone; see [Source].
const TellFD = 3
