"""The one door into the CA: every protocol submits, resumes, confirms and revokes here, and nowhere else."""
