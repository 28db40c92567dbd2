"""Contract: a database that is not MLflow's is refused, and no password is kept."""

import pytest

from features.errors import SourceError
from training.tracking import Tracker, without_secrets


def test_a_database_that_is_not_mlflows_is_refused(tmp_path):
    (tmp_path / "mlflow.db").write_text("no database at all, but long enough to be looked at" * 50)
    with pytest.raises(SourceError, match="MLflow's database"):
        Tracker(tmp_path).versions("ltv")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://reader:s3cret@db.example/crm",
        "postgresql://:s3cret@h/d",
        "postgresql://h/d?user=u&password=s3cret",
        "host=h password=s3cret dbname=d",
        "postgresql://u:p@s3cret@h/d",
        'postgresql://u:p\\"s3cret@h/d',
    ],
)
def test_passwords_in_addresses_are_blotted_out(address):
    kept = without_secrets(f'currency = "JPY"\nsource = "{address}"\n[ltv]\n')
    assert "s3cret" not in kept
    assert kept.startswith('currency = "JPY"\nsource = ')
    assert kept.endswith('"\n[ltv]\n')
    assert without_secrets('source = "postgresql://reader@db/crm"') == 'source = "postgresql://reader@db/crm"'


def test_a_training_asks_first_whether_it_may_write(tmp_path, monkeypatch):
    folder = tmp_path / "not" / "there" / "mlruns"
    Tracker(folder).check_writable()
    folder.mkdir(parents=True)
    (folder / "mlflow.db").touch()
    Tracker(folder).check_writable()
    assert list(folder.iterdir()) == [folder / "mlflow.db"]
    # Whoever runs tests as root may write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "mlflow.db")
    with pytest.raises(SourceError, match=r"mlflow\.db cannot be written, .* copy the project"):
        Tracker(folder).check_writable()
