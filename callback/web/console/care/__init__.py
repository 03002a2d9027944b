"""The pages of care: what their addresses ask for, what their forms say, and the words of their codes."""
