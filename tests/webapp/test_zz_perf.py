import time
from tests.webapp.conftest import *
from tests.readmodels.kit import *
import pytest
@pytest.fixture
def kit(app):
    with Following(app.extensions["kontor"]) as f: yield f
def test_perf(kit, as_role):
    s=Story(kit); s.confirmed(); s.returned()
    with kit.kontor.read() as c:
        c.execute("""insert into read.invoices_document select (r).* from (select jsonb_populate_record(d, jsonb_build_object('document_id','inv_'||lpad(n::text,26,'0'),'number','B2C-2026-'||lpad((n+10)::text,6,'0'),'issued_on',date '2026-01-01'+(n%300),'recipient','K '||md5(n::text),'gross',n)) r from read.invoices_document d, generate_series(1,200000) n where d.kind='invoice') x""")
        c.execute("""insert into read.work_case select (r).* from (select jsonb_populate_record(d, jsonb_build_object('case_id','cs_'||lpad(n::text,26,'0'),'until',date '2026-01-01'+(n%300),'amount',n,'closed_at',case when n%50=0 then null else now() end,'closed_position',case when n%50=0 then null else n end)) r from read.work_case d, generate_series(1,100000) n) x""")
        c.execute("analyze read.invoices_document"); c.execute("analyze read.work_case")
    ada=as_role("finance")
    for url in ("/work","/work?tab=late","/work?tab=closed","/work?tab=mine","/invoices","/invoices?sort=customer&way=up","/invoices?status=returned","/invoices?q=zzz","/invoices?q=B2C-2026-150000","/invoices?amount=150,00",f"/invoices/{s.invoice_id}"):
        ts=[]
        for _ in range(4):
            t=time.perf_counter(); ada.client.get(url); ts.append(time.perf_counter()-t)
        print(f"{url:40} {min(ts)*1000:7.1f} ms")
    p=ada.client.get("/invoices").text
    import re,html
    t0=time.perf_counter()
    n=0
    for _ in range(20):
        m=re.search(r'href="(/invoices\?after[^"]*)"',p)
        p=ada.client.get(html.unescape(m[1])).text; n+=1
    print("20 mores", (time.perf_counter()-t0)/n*1000)
    t=time.perf_counter(); r=ada.client.get("/invoices/export.csv"); print("csv",len(r.get_data()), time.perf_counter()-t)
