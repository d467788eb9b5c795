"""micromdm's scepclient."""
