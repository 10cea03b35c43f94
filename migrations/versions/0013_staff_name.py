"""Two admins can change the name of an account, too."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NAME = "staff_change_kind_known"


def upgrade() -> None:
    op.drop_constraint(NAME, "staff_change")
    op.create_check_constraint(
        NAME,
        "staff_change",
        "kind IN ('add', 'role', 'disable', 'enable', 'password', 'factor', 'name')",
    )


def downgrade() -> None:
    op.execute("DELETE FROM staff_change WHERE kind = 'name'")
    op.drop_constraint(NAME, "staff_change")
    op.create_check_constraint(
        NAME, "staff_change", "kind IN ('add', 'role', 'disable', 'enable', 'password', 'factor')"
    )
