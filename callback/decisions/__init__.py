"""What people and customers decide: each decision one transaction, audited."""
