-- Feedback of everything, as `feedback_page.sql` takes it.
SELECT * FROM feedback
