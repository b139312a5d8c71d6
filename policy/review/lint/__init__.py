"""What a reviewer should look at in a policy folder before it goes live: faults, what is idle or too wide."""
