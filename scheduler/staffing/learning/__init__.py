"""What a site's past calls teach: fresh demand, handling times, patience, attendance, forecasts and peaks."""
