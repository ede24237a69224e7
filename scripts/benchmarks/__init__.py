"""The instrument behind the table of speed: cases, their rivals, and what they come to."""
