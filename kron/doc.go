// Package kron computes with Kronecker products without forming them.
package kron
