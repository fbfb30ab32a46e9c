"""Progress for people, and finding things."""

from pythonik.jobs.models import JobSchema, JobsStateSchema, JobStepsUpdateSchema
from pythonik.models.jobs.job_body import JobBody
from pythonik.models.search.search_body import Filter, SearchBody, SortItem, Term
from pythonik.search.models import SearchCriteriaSchema

from harness import Story, shows


class Jobs(Story):
    def held(self, job):
        return self.read(f"jobs/v1/jobs/{job}/")

    @shows("A jobs.create", "A jobs.update")
    def test_a_transfer_that_people_can_watch(self):
        asset = self.asset()
        body = JobBody(type="TRANSFER", status="STARTED", title="Filing the master", progress_total=100,
                       progress_processed=0, object_type="assets", object_id=asset)
        job = self.done(self.a.jobs.create(body), 201)
        self.done(self.a.jobs.update(job.id, JobBody(progress_processed=40, message="40 of 100 GB")))
        held = self.held(job.id)
        self.assertEqual((held["progress"], held["message"], held["status"]), (40, "40 of 100 GB", "STARTED"))
        last = self.done(self.a.jobs.update(job.id, JobBody(status="FINISHED", progress_processed=100)))
        self.assertEqual((last.status, last.title), ("FINISHED", "Filing the master"))
        self.assertEqual((self.held(job.id)["progress"], self.held(job.id)["object_id"]), (100, asset))

    @shows("B post_jobs", "B get_job", "B get_jobs", "B patch_job", "B put_job")
    def test_the_other_surface(self):
        # A type of one's own is the other surface's alone: the first one cannot read it.
        body = JobSchema.from_dict({"type": "CUSTOM", "custom_type": "ecm_filing", "status": "READY", "title": "Filing",
                                    "progress_total": 4, "metadata": {"node": "4711"}})
        made = self.done(self.b.post_jobs(body=body), 201)
        job = str(made.id)
        body = JobSchema.from_dict({"type": "CUSTOM", "status": "FAILED", "title": "Filing", "progress_processed": 1,
                                    "error_message": "The folder is locked"})
        self.assertEqual(self.done(self.b.patch_job(job, body=body)).progress, 25)
        read = self.done(self.b.get_job(job))
        self.assertEqual((read.status.value, read.error_message, read.custom_type),
                         ("FAILED", "The folder is locked", "ecm_filing"))
        listed = self.done(self.b.get_jobs(type_="CUSTOM", per_page=100))
        self.assertIn(job, [str(j.id) for j in listed.objects])
        self.assertEqual(self.b.get_jobs(per_page=101).status_code, 400)
        body = JobSchema.from_dict({"type": "CUSTOM", "status": "STARTED", "title": "Filing, second attempt"})
        self.done(self.b.put_job(job, body=body))
        self.assertEqual(self.held(job)["title"], "Filing, second attempt")

    @shows("B patch_job_steps", "B put_jobs_state", "B delete_job")
    def test_steps_and_being_stopped(self):
        steps = [{"label": "Download", "status": "IN_PROGRESS"}, {"label": "File", "status": "WAITING"}]
        body = {"type": "CUSTOM", "status": "STARTED", "title": "Filing", "steps": steps}
        job = self.tell("POST", "jobs/v1/jobs/", body, 201)["id"]
        first, second = (step["id"] for step in self.held(job)["steps"])
        body = JobStepsUpdateSchema.from_dict({"steps": [{"id": first, "label": "Download", "status": "DONE"},
                                                         {"id": second, "label": "File", "status": "IN_PROGRESS"}]})
        told = self.done(self.b.patch_job_steps(job, body=body))
        self.assertEqual([step.status.value for step in told.steps], ["DONE", "IN_PROGRESS"])
        self.assertEqual([step["status"] for step in self.held(job)["steps"]], ["DONE", "IN_PROGRESS"])
        body = JobsStateSchema.from_dict({"job_ids": [job], "action": "ABORT"})
        self.done(self.b.put_jobs_state(body=body))
        self.assertIn(self.held(job)["status"], ("ABORT_PENDING", "ABORTED"))
        self.done(self.b.delete_job(job), 204)
        self.read(f"jobs/v1/jobs/{job}/", 404)


class Search(Story):
    def setUp(self):
        super().setUp()
        self.market = self.field("Sales_market")
        self.clearance = self.view("Sales_market")
        self.made = {}
        for title, market in (("Zephyr trailer", "DE"), ("Zephyr poster", "FR"), ("Zephyr teaser", "DE")):
            self.made[title] = self.asset(title)
            self.tell("PUT", f"metadata/v1/assets/{self.made[title]}/views/{self.clearance}/",
                      {"metadata_values": {"Sales_market": {"field_values": [{"value": market}]}}})

    @shows("A search.search")
    def test_by_words_kind_and_field(self):
        body = SearchBody(query="Zephyr", doc_types=["assets"], metadata_view_id=self.clearance,
                          filter=Filter(operator="AND", terms=[Term(name="metadata.Sales_market", value="DE")]),
                          sort=[SortItem(name="title", order="asc")])
        found = self.done(self.a.search.search(body, per_page=10, generate_signed_url=False, save_search_history=False))
        self.assertEqual([o.title for o in found.objects], ["Zephyr teaser", "Zephyr trailer"])
        self.assertEqual((found.total, found.objects[0].object_type), (2, "assets"))
        self.assertIn(found.objects[0].metadata["Sales_market"], ("DE", ["DE"]))
        self.assertEqual(found.objects[0].id, self.made["Zephyr teaser"])

    @shows("A search.search", "B post_search")
    def test_pages_by_sort_keys(self):
        body = {"query": "Zephyr", "doc_types": ["assets"], "sort": [{"name": "title", "order": "desc"}]}
        criteria = SearchCriteriaSchema.from_dict
        first = self.done(self.b.post_search(body=criteria(body), per_page=2, generate_signed_url=False,
                                             save_search_history=False))
        self.assertEqual([o.title for o in first.objects], ["Zephyr trailer", "Zephyr teaser"])
        after = first.objects[-1].additional_properties["_sort"]
        rest = self.done(self.b.post_search(body=criteria({**body, "search_after": after}), per_page=2))
        self.assertEqual([o.title for o in rest.objects], ["Zephyr poster"])
        second = self.done(self.a.search.search(body, per_page=2, page=2))
        self.assertEqual([o.title for o in second.objects], ["Zephyr poster"])
        self.assertEqual(self.a.search.search(body, per_page=2, page=3).response.status_code, 404)
        self.assertEqual(self.b.post_search(body=criteria(body), per_page=2, page=3).status_code, 404)

    @shows("B post_search")
    def test_characters_with_a_meaning_are_escaped(self):
        odd = self.asset("Cut (final): 50/50!")
        for query, expected in ((r"Cut\ \(final\)\:\ 50\/50\!", [odd]), (r"Cut\ \(draft\)", [])):
            body = SearchCriteriaSchema.from_dict(
                {"doc_types": ["assets"], "filter": {"operator": "AND", "terms": [{"name": "title", "value": query}]}})
            found = self.done(self.b.post_search(body=body, per_page=10))
            self.assertEqual([str(o.id) for o in found.objects], expected, query)
