// Package precond is the root of a library of second-order preconditioning
// kernels; it holds no code of its own. Start at package dense for matrices and
// BLAS-level operations, at package gonumblas to give gonum programs their
// speed, and at package asm for the kernels and their contract.
package precond
