"""Invoices and corrections as PDF. What a document says is decided and frozen in the domain;
here it is only checked, laid out and kept within limits of time and memory."""
