package solvers

// Report is what a step did. The slices are reused by the next step.
type Report struct {
	Step int
	Loss float64 // of the batch, before the step
	Rate float64 // learning rate, or the model's step size α
	Clip float64 // factor by which clipping scaled the direction, 1 if it did not
	Norm float64 // Euclidean norm of the gradient
	// Blocks has an entry for each refresh of a block of the preconditioner that was
	// concluded, in order: a block has two in a step where a policy has then chosen another
	// damping.
	Blocks []Block
	// Damping, Reduction and Momentum are those of policies with a quadratic
	// model: λ, the reduction ratio ρ and the momentum coefficient μ.
	Damping, Reduction, Momentum float64
}

// Block is what happened to one block of a preconditioner in a step.
type Block struct {
	Name      string
	Refreshed bool
	Condition float64 // estimated condition number of what was inverted, 0 if not known
	Staleness int     // steps since the block was last refreshed
	Failures  int     // refreshes in a row that failed
	Err       error   // what failed, nil if nothing did
}
