// Package nn has small feed-forward networks with exact derivatives, on the matrix products
// of package dense. It is what the tests, examples and benchmarks of the solvers train; it is no
// framework: layers follow one another, and that is all.
//
// # Where to start
//
// [New] makes a network of [Full], [Conv], [MaxPool] and [AvgPool] layers for one of the
// losses, and [Network.Init] gives it weights. [Network.Evidence] says what a batch has to
// say, as the contracts of package solvers want it: loss, gradient, statistics of the layers,
// and curvature products. [Network.Predict] and [Network.Loss] evaluate.
//
// # Layout
//
// A batch is a matrix with an example a row: its pixels in order, each with all its
// channels. So the same memory is a matrix with a pixel a row, which is what a convolution or
// a shared layer multiplies, and a vector for each example, which is what a fully connected layer
// multiplies. The weight of a layer is one matrix of out×(in+1), the last column being the
// bias.
//
// # How a pass is made
//
// All passes (forward, backward, in a direction, and backward in a direction) are made
// of three matrix products for each layer: with the weight, its transpose, and for the gradient of
// the weight. What lies between two products, bias, activation or its derivative, sums over
// rows for the bias, is one sweep over memory. Derivatives of activations are functions of their
// output, so that one buffer a layer is enough for the forward pass. A convolution gathers
// patches into panels that stay in the cache and multiplies them there.
//
// Everything is allocated when a batch is larger than all before it; after that, nothing is.
// The results have the same bits on every machine and with any number of threads. They depend on
// the batch, but the outputs of an example do not depend on the others.
package nn
