-- The engine's document knows a burst of deletes, the person's who approved last, and flag 8 of an entry is what was on the
-- remote before us. Nothing of that is known of what was written before.
SELECT 1;
