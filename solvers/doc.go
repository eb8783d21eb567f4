// Package solvers holds the contracts between models and second-order methods, and
// the parts that the methods share. The methods themselves are in the packages
// below it, one per family.
//
// A method is a curvature estimate (Preconditioner) plus a step policy (Policy);
// each can be used alone, and Optimizer joins the two. What a method wants to be told of
// the model at a step is in its Needs: gradients only, the statistics of the layers,
// or curvature products.
package solvers
