"""What a page shows of one thing, worked out for its template: words, steps, links, figures."""
