"""What people decide about incidents, texts of customers, and help for a group: each can be taken back for a while."""
